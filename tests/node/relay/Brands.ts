// Lists of an application: the brands, from either end, and what each of them has published.

import { graphql } from "react-relay";

export const query = graphql`
  query BrandsQuery($id: ID!) {
    ...Brands_list
    ...Brands_latest
    node(id: $id) {
      ...Brands_valuations @alias
    }
  }
`;

export const list = graphql`
  fragment Brands_list on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "BrandsListQuery") {
    brands(first: $count, after: $cursor) @connection(key: "Brands_list_brands") {
      edges {
        node {
          id
          code
          name
        }
      }
    }
  }
`;

export const latest = graphql`
  fragment Brands_latest on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "BrandsLatestQuery") {
    latest: brands(last: $count, before: $cursor) @connection(key: "Brands_latest_latest") {
      edges {
        node {
          id
        }
      }
    }
  }
`;

export const valuations = graphql`
  fragment Brands_valuations on Brand
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "BrandsValuationsQuery") {
    valuations(first: $count, after: $cursor) @connection(key: "Brands_valuations") {
      edges {
        node {
          redemptionRate
          effectiveFrom
        }
      }
    }
  }
`;
