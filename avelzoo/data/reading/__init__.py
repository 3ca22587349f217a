"""Reading AVE's public files and those of other repositories."""
