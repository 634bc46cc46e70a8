// Makes calls with Unkey's own client and prints what came of each, as JSON.
//
// Input: {"serverURL": …, "calls": [{"operation", "cookie", "request"}…]}. Output, for each call: {"result"} as the
// client parsed it, a list of pages where the operation has them; or {"error"} with its class and what the client read.

import { text } from "node:stream/consumers";

import { Unkey } from "@unkey/api";

const { serverURL, calls } = JSON.parse(await text(process.stdin));

// No repeats: a failing test should fail at once.
const unkey = new Unkey({ serverURL, retryConfig: { strategy: "none" } });

async function call({ operation, cookie, request }) {
  const answer = await unkey.portal[operation]({ portalSession: cookie }, request);
  if (!(Symbol.asyncIterator in answer)) {
    return answer;
  }
  const pages = [];
  for await (const page of answer) {
    pages.push(page.result);
  }
  return pages;
}

function told(error) {
  const { name, statusCode, contentType, meta, message } = error;
  return { name, statusCode, contentType, meta, message, error: error.error };
}

const outcomes = [];
for (const each of calls) {
  outcomes.push(await call(each).then((result) => ({ result }), (error) => ({ error: told(error) })));
}
console.log(JSON.stringify(outcomes));
