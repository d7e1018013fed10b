"""The command line: parse, gather facts, call, render; nothing is decided here."""
