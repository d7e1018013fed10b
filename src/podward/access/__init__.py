"""Who may do what: authorizers, whose answers the pure rooms take as facts."""
