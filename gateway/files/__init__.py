"""Files that come and go by the command line: read row by row, and loaded."""
