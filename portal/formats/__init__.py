"""How the portal writes days and times where a language is ambiguous about them."""
