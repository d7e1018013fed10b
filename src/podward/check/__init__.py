"""`podward check` without I/O: judging workloads, rules, waivers, baselines, comparing policies, configuration."""
