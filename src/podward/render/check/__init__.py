"""The forms of `check`'s report and of `check --compare`: for people, and for CI systems and other programs."""
