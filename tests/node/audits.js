// The audits of GraphQL over HTTP, against a gateway that is up.
//
//   TOKEN=... node audits.js http://127.0.0.1:8000/graphql

import { serverAudits } from "graphql-http";

const ALL = 61;

const url = process.argv[2];
const authorization = `Bearer ${process.env.TOKEN}`;

const audits = serverAudits({
  url,
  fetchFn: (input, init = {}) =>
    fetch(input, { ...init, headers: { ...init.headers, authorization } }),
});
const results = await Promise.all(audits.map((audit) => audit.fn()));

const faults = results.filter((result) => result.status !== "ok");
for (const { id, name, status, reason } of faults) {
  console.error(`${status}: ${id} ${name}: ${reason}`);
}
console.log(`${results.length - faults.length} of ${results.length} audits passed`);
if (faults.length || results.length < ALL) {
  console.error(`all of them, and at least ${ALL}, have to pass`);
  process.exit(1);
}
