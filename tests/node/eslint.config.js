// What graphql-eslint has to say of a schema: its rules for Relay, and those that it recommends.

import graphql from "@graphql-eslint/eslint-plugin";

export default [
  {
    files: ["**/*.graphql"],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: "schema/schema.graphql" } },
    },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      "@graphql-eslint/no-typename-prefix": "off", // a member's memberships are called so
      "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }], // histories go one way
      "@graphql-eslint/relay-edge-types": [
        "error",
        {
          withEdgeSuffix: true,
          listTypeCanWrapOnlyEdgeType: false, // what does not grow is a plain list
          shouldImplementNode: false, // a valuation has no id of its own
        },
      ],
      "@graphql-eslint/require-description": [
        "error",
        {
          types: true,
          DirectiveDefinition: false, // GraphQL's own: @oneOf
          EnumValueDefinition: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          rootField: true,
        },
      ],
      "@graphql-eslint/strict-id-in-types": "off", // money, balances and edges are values
    },
  },
];
