"""The domain: plain async functions and frozen dataclasses. Knows no GraphQL and no HTTP."""
