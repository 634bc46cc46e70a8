// Makes calls with Unkey's own clients and tells what came of each: one line of JSON in, one line of JSON out.
//
// In: {"version", "serverURL", "rootKey"?, "operation", "cookie"?, "request"}. Out: "exchanges", the HTTP that went over
// the wire; and "result" as the client parsed it, or "pages" where the operation has them, or "error" with its class and
// what the client read of it. Without an operation, "result" names those that the client has.

import { createInterface } from "node:readline";

async function call({ version, serverURL, rootKey, operation, cookie, request }, exchanges) {
  const { HTTPClient, Unkey } = await import(`unkey-${version}`);
  const httpClient = new HTTPClient();
  httpClient.addHook("response", async (response, sent) => {
    exchanges.push({
      path: new URL(sent.url).pathname,
      status: response.status,
      redirected: response.redirected,
      sent: Object.fromEntries(sent.headers),
      headers: Object.fromEntries(response.headers),
      body: await response.clone().text(),
    });
  });
  // No repeats: a failing test should fail at once.
  const options = { serverURL, rootKey, httpClient, retryConfig: { strategy: "none" }, timeoutMs: 30_000 };
  const { portal } = new Unkey(options);
  if (operation === undefined) {
    return { result: Object.getOwnPropertyNames(Object.getPrototypeOf(portal)).filter((name) => name !== "constructor") };
  }
  const parameters = cookie === undefined ? [request] : [{ portalSession: cookie }, request];
  const answer = await portal[operation](...parameters);
  if (!(Symbol.asyncIterator in answer)) {
    return { result: answer.result ?? answer };
  }
  const pages = [];
  for await (const page of answer) {
    pages.push(page.result);
  }
  return { pages };
}

function told(error) {
  const { name, statusCode, message, meta } = error;
  return { name, statusCode, message, meta, error: error.error };
}

for await (const line of createInterface({ input: process.stdin })) {
  const exchanges = [];
  const outcome = await call(JSON.parse(line), exchanges).catch((error) => ({ error: told(error) }));
  console.log(JSON.stringify({ ...outcome, exchanges }));
}
