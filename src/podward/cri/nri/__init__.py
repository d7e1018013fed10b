"""The Node Resource Interface: plugins that are told what happens to sandboxes and containers, and may change it."""
