"""What container runtimes make of a CRI message: containerd (the default), CRI-O, and Docker behind cri-dockerd.

One rule, one file. Where the three differ, the rule's specification says how; their numbers and lists stand in
`defaults`, one versioned table each.
"""
