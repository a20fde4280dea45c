// Queries of a supergraph, through a federation gateway that passes the caller's credential on.
//
//   node joined.js supergraph.graphql cases.json
//
// A case has a name, a query, the caller's token, and the answer's data as it has to be.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { parse } from "graphql";

const [supergraph, cases] = process.argv.slice(2).map((file) => readFileSync(file, "utf8"));

class Authorized extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    if (context.token) request.http.headers.set("authorization", `Bearer ${context.token}`);
  }
}

const quiet = { debug() {}, info() {}, warn: console.error, error: console.error };
const gateway = new ApolloGateway({
  supergraphSdl: supergraph,
  buildService: ({ url }) => new Authorized({ url }),
  logger: quiet,
});
const { schema, executor } = await gateway.load();

async function ask({ query, token }) {
  const document = parse(query);
  const { data, errors } = await executor({
    request: { query, variables: {} },
    source: query,
    document,
    operation: document.definitions[0],
    operationName: null,
    queryHash: createHash("sha256").update(query).digest("hex"),
    context: { token },
    schema,
    logger: quiet,
    metrics: {},
    cache: new Map(),
  });
  return JSON.parse(JSON.stringify({ data: data ?? null, errors: errors ?? [] }));
}

let failed = false;
for (const each of JSON.parse(cases)) {
  const { data, errors } = await ask(each);
  if (isDeepStrictEqual(data, each.data)) {
    console.log(`as it has to be: ${each.name}`);
  } else {
    console.error(`${each.name}: ${JSON.stringify(data)}, not ${JSON.stringify(each.data)}`);
    for (const error of errors) console.error(`  ${error.message ?? JSON.stringify(error)}`);
    failed = true;
  }
}
await gateway.stop();
process.exit(failed ? 1 : 0);
