// Which emoji there are: their names, the search, skin tones, and those used last.

const DATA = new URL("../vendor/emoji-picker-element-data/en.json", import.meta.url);
const PARTS_OF_EMOJI = 2;
const MOST_RECENT = 8;
/** Older ones are drawn everywhere. */
const TESTED_SINCE = 11;

let loading = null;

/** All that this browser can draw: `{emoji, annotation, shortcodes, tags, group, skins}`. */
export function loadEmojis() {
  loading ??= load();
  loading.catch(() => (loading = null));
  return loading;
}

async function load() {
  const answer = await fetch(DATA);
  if (!answer.ok) throw new Error(`${answer.status} ${DATA}`);
  const all = (await answer.json()).filter(({ group }) => group !== PARTS_OF_EMOJI);
  const newest = newestDrawn(all);
  return all.filter(({ version }) => version <= newest);
}

/** Fonts learn a version at once, so one emoji of it stands for all. */
function newestDrawn(emojis) {
  const versions = [...new Set(emojis.map(({ version }) => version))].sort((one, other) => other - one);
  const sample = (version) => emojis.find((one) => one.version === version).emoji;
  const isDrawn = drawingTest();
  // A browser that keeps its canvas to itself draws nothing here.
  if (!isDrawn("😀")) return Infinity;
  return versions.find((version) => version < TESTED_SINCE || isDrawn(sample(version)));
}

/** A missing emoji is a box, which takes the colour of text, or falls into several. */
function drawingTest() {
  const pen = new OffscreenCanvas(32, 32).getContext("2d", { willReadFrequently: true });
  pen.font = '24px "Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", sans-serif';
  pen.textBaseline = "top";
  const pixels = (emoji, colour) => {
    pen.clearRect(0, 0, 32, 32);
    pen.fillStyle = colour;
    pen.fillText(emoji, 0, 2);
    return pen.getImageData(0, 0, 32, 32).data.join();
  };
  const width = (emoji) => pen.measureText(emoji).width;
  const isOne = (emoji) => width(emoji) < width("😀") * 1.3;
  return (emoji) => isOne(emoji) && pixels(emoji, "#000") === pixels(emoji, "#fff");
}

// Searching

const words = new WeakMap();

function wordsOf(one) {
  if (!words.has(one)) {
    const all = [...one.shortcodes, ...one.annotation.split(/[\s:,]+/), ...one.tags];
    words.set(one, [...all, ...one.shortcodes.flatMap((code) => code.split("_"))]);
  }
  return words.get(one);
}

/** Those that answer to the beginnings of words, the best first. */
export function searchEmojis(emojis, query) {
  const asked = query.toLowerCase().split(/[\s_]+/).filter(Boolean);
  const code = asked.join("_");
  const isMeant = (one) => asked.every((word) => wordsOf(one).some((known) => known.toLowerCase().startsWith(word)));
  const found = emojis.filter(isMeant).map((one) => [rankOf(one, code), one]);
  return found.sort(([one], [other]) => one - other).map(([, one]) => one);
}

function rankOf({ shortcodes, annotation }, code) {
  if (shortcodes.includes(code)) return 0;
  if (shortcodes.some((known) => known.startsWith(code))) return 1;
  return annotation.toLowerCase().includes(code.replaceAll("_", " ")) ? 2 : 3;
}

// What the reader likes

export const tones = {
  get chosen() {
    return Number(read("emoji-tone", 0));
  },
  choose: (tone) => write("emoji-tone", tone),
  /** The emoji in the chosen tone, where it has one. */
  of({ emoji, skins }) {
    const { chosen } = tones;
    return skins?.find(({ tone }) => [tone].flat().every((one) => one === chosen))?.emoji ?? emoji;
  },
};

export const recent = {
  get all() {
    return read("emoji-recent", []);
  },
  add: (emoji) => write("emoji-recent", [emoji, ...recent.all.filter((one) => one !== emoji)].slice(0, MOST_RECENT)),
};

function read(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Without storage a choice lives as long as nobody asks for it again.
  }
}
