"use strict";

// GraphiQL over this gateway. A demo comes with its credential filled in; anybody else pastes hers
// into the headers. Headers are never written to the browser's storage.
(() => {
  const page = document.getElementById("explorer");
  const authorization = `Bearer ${page.dataset.credential}`;
  const known = page.dataset.credential !== "";

  const welcome = `# The credential goes into the headers, below.${
    known ? " The demo's is there already." : ""
  }
{
  viewer {
    kind
    client
  }
  brands(first: 10) {
    edges {
      node {
        code
        name
        pointsName
        valuation {
          redemptionRate
          transferOutRate
          transferInRate
        }
      }
    }
  }
}
`;

  ReactDOM.createRoot(page).render(
    React.createElement(GraphiQL, {
      // Also where the header is not shown: tabs of an earlier visit come back without headers.
      fetcher: GraphiQL.createFetcher({
        url: "/graphql",
        headers: known ? { Authorization: authorization } : {},
      }),
      defaultQuery: welcome,
      defaultHeaders: JSON.stringify({ Authorization: authorization }, null, 2),
      defaultEditorToolsVisibility: "headers",
      shouldPersistHeaders: false,
      isHeadersEditorEnabled: true,
    }),
  );
})();
