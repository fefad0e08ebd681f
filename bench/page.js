// What is measured inside the page; bench/page.py puts this into every page before its own script.

{
  const found = { drawn: 0, paints: [], shifts: 0, tasks: [], events: new Map(), taps: [], seen: [] };
  globalThis.found = found;

  const watch = (type, take, more = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...more });
  watch("largest-contentful-paint", (entry) => found.paints.push(entry.startTime));
  watch("layout-shift", (entry) => (found.shifts += entry.hadRecentInput ? 0 : entry.value));
  watch("longtask", ({ startTime, duration }) => found.tasks.push([startTime, duration]));
  watch("paint", ({ name, startTime }) => name === "first-contentful-paint" && (found.drawn = startTime));
  watch("event", takeEvent, { durationThreshold: 16 });

  /** An interaction is as long as the longest of its events. */
  function takeEvent({ interactionId: id, duration }) {
    if (id) found.events.set(id, Math.max(duration, found.events.get(id) ?? 0));
  }

  /** From each key and click until the frame that follows it. */
  for (const type of ["keydown", "click"]) {
    const note = ({ timeStamp }) => requestAnimationFrame(() => setTimeout(() => found.taps.push(performance.now() - timeStamp)));
    addEventListener(type, note, true);
  }

  const rows = () => [...document.querySelectorAll(".message[data-seq]")];

  /** Scrolls by a step a frame until nothing moves any more, or for so many frames. */
  found.travel = async ([step, most]) => {
    const region = document.querySelector("[data-timeline]");
    const seq = (at) => Number(rows().at(at)?.dataset.seq);
    const frames = [];
    let [highest, same, last] = [0, 0, await new Promise(requestAnimationFrame)];
    while (same < 60 && frames.length < most) {
      const was = region.scrollTop;
      region.scrollTop += step;
      const now = await new Promise(requestAnimationFrame);
      frames.push(now - last);
      last = now;
      highest = Math.max(highest, rows().length);
      same = region.scrollTop === was ? same + 1 : 0;
    }
    return { frames, rows: highest, first: seq(0), last: seq(-1) };
  };

  /** Resolves with how long it takes from the next click until a chat of this name is painted. */
  found.awaitChat = (name) => {
    let began = 0;
    addEventListener("click", ({ timeStamp }) => (began = timeStamp), { capture: true, once: true });
    const isThere = () => began && document.querySelector("h2[data-chat-title]").textContent === name && rows().length;
    found.opened = new Promise((resolve) => {
      requestAnimationFrame(function look() {
        if (isThere()) setTimeout(() => resolve(performance.now() - began));
        else requestAnimationFrame(look);
      });
    });
  };
}
