"""The public contract: GraphQL types, with their resolvers beside them."""
