// A page of an application: the member's wallet, with her history to scroll through.

import { graphql } from "react-relay";

export const query = graphql`
  query WalletQuery {
    viewer {
      member {
        id
        coalitionNumber
        totalValue {
          amount
          currency
        }
        memberships {
          ...Wallet_membership
          ...Wallet_history
        }
        ...Wallet_memberHistory
      }
    }
  }
`;

export const membership = graphql`
  fragment Wallet_membership on Membership @refetchable(queryName: "WalletMembershipQuery") {
    number
    brand {
      code
      name
    }
    balance {
      available
      value {
        amount
      }
    }
  }
`;

export const history = graphql`
  fragment Wallet_history on Membership
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "WalletHistoryQuery") {
    transactions(first: $count, after: $cursor) @connection(key: "Wallet_transactions") {
      edges {
        node {
          id
          kind
          points
          recordedAt
        }
      }
    }
  }
`;

export const memberHistory = graphql`
  fragment Wallet_memberHistory on Member
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
    brand: { type: "String" }
  )
  @refetchable(queryName: "WalletMemberHistoryQuery") {
    transactions(first: $count, after: $cursor, brand: $brand)
      @connection(key: "Wallet_memberHistory_transactions") {
      edges {
        node {
          id
          kind
        }
      }
    }
  }
`;

export const conversion = graphql`
  mutation WalletConversionMutation($input: TransferCreateInput!) {
    transferCreate(input: $input) {
      transfer {
        id
        source {
          ...Wallet_membership
        }
        destination {
          ...Wallet_membership
        }
      }
      replayed
      errors {
        __typename
        code
        message
        ... on InsufficientPoints {
          available
          required
        }
      }
    }
  }
`;
