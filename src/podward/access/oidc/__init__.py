"""JSON Web Tokens of other issuers, by OpenID Connect: which are good, and whom they name."""
