"""Points that move: transfers, the rules and rates they go by, and households."""
