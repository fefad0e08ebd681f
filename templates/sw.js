{% load chat_tags %}// The service worker: the page and its code open without a connection. It keeps no answers of the
// API, no writes, and no page of somebody who is not signed in.

const { release, static: ours, offline, files } = JSON.parse("{{ build|as_json|escapejs }}");
const CODE = `code ${release}`;
const PAGES = "pages";
const SHELL = "/";
const SHELL_PATH = /^\/(?:c\/[0-9a-f-]{36})?$/;
const AWAY = [502, 503, 504];
const PATIENCE_SECONDS = 4;

addEventListener("install", (event) => event.waitUntil(keepCode()));
addEventListener("activate", (event) => event.waitUntil(takeOver()));
addEventListener("message", ({ data }) => data === "activate" && skipWaiting());
addEventListener("fetch", answer);

async function keepCode() {
  const cache = await caches.open(CODE);
  await cache.addAll([...files, new Request(offline, { credentials: "omit" })]);
}

/** The page that asked for this worker came without it: a shell is kept now. */
async function takeOver() {
  await registration.navigationPreload?.enable();
  await clients.claim();
  const shell = await fetch(SHELL, { redirect: "manual" }).catch(() => null);
  if (shell) await keepShell(shell);
}

function answer(event) {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method === "POST" && pathname === "/logout") event.waitUntil(caches.delete(PAGES));
  if (request.method !== "GET") return;
  if (pathname.startsWith("/static/")) event.respondWith(codeFor(request, pathname));
  else if (request.mode === "navigate" && SHELL_PATH.test(pathname)) event.respondWith(shellFor(event, search));
  else if (request.mode === "navigate") event.respondWith(ask(event).catch(offlinePage));
}

// Code: an address never changes what it holds

async function codeFor(request, pathname) {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  const isWhole = answer.status === 200 && pathname.startsWith(ours);
  if (isWhole) (await caches.open(CODE)).put(request, answer.clone());
  return answer;
}

// Pages: from the server, else the latest shell, whichever chat it was of

const ask = async (event) => (await event.preloadResponse) ?? fetch(event.request);
const offlinePage = async () => (await caches.match(offline, { ignoreVary: true })) ?? Response.error();
const keptShell = () => caches.match(SHELL, { cacheName: PAGES, ignoreVary: true });

async function shellFor(event, search) {
  const kept = await keptShell();
  try {
    const answer = await (kept ? soon(ask(event)) : ask(event));
    if (kept && AWAY.includes(answer.status)) return kept;
    if (!search) event.waitUntil(keepShell(answer.clone()));
    return answer;
  } catch {
    return kept ?? offlinePage();
  }
}

function soon(asked) {
  const late = new Promise((_, reject) => setTimeout(reject, PATIENCE_SECONDS * 1000));
  return Promise.race([asked, late]);
}

/** A redirect leads to the login page: nobody is signed in, and nothing of theirs stays. */
async function keepShell(answer) {
  if (answer.type === "opaqueredirect") return caches.delete(PAGES);
  if (answer.status !== 200) return undefined;
  const html = (await answer.text()).replace("<html ", "<html data-kept ");
  const headers = new Headers(answer.headers);
  for (const name of ["Content-Encoding", "Content-Length"]) headers.delete(name);
  await (await caches.open(PAGES)).put(SHELL, new Response(html, { headers }));
  return html.includes(ours) ? dropOldCode() : undefined;
}

/** Only now: until its own page is kept, the one of the old release needs the old code. */
async function dropOldCode() {
  const old = (await caches.keys()).filter((name) => name.startsWith("code ") && name !== CODE);
  return Promise.all(old.map((name) => caches.delete(name)));
}
