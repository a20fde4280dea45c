"""The books: the pure core, the writer on both databases, and what they survive."""
