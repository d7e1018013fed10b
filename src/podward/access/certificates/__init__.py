"""Certificate requests after they are made: which are approved by themselves, signed, and cleaned away."""
