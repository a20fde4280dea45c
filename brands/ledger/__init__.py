"""The books: a pure core, the one writer of entries, holds, balances and the audit."""
