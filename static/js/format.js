// The Markdown of messages as messaging/formatting.py has it, for texts that are not stored yet.

import { element } from "./dom.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-+*]|(\d{1,9})[.)])(?: {1,4}(?=\S)| +|$)/;
/** An item that may follow a line of text without an empty line between. */
const ITEM_IN_TEXT = /^ {0,3}(?:[-+*]|1[.)]) +\S/;
const MOST_NESTED = 6;
const MOST_JUMBO = 8;
const EMOJI = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3)/u;

/** The elements of a content. What it makes is as high as what the server makes. */
export function format(content) {
  if (isEmoji(content)) return [element("p", { class: "jumbo", dir: "auto" }, content)];
  return blocks(content.split("\n"));
}

function isEmoji(content) {
  const signs = [...new Intl.Segmenter().segment(content.slice(0, 200))].map(({ segment }) => segment);
  const shown = signs.filter((sign) => sign !== " ");
  return shown.length <= MOST_JUMBO && shown.every((sign) => EMOJI.test(sign));
}

// Blocks: each reader takes its lines from the front

function blocks(lines, isTight = false, depth = 0) {
  const [rest, made] = [[...lines], []];
  while (rest.length) {
    if (!rest[0].trim()) rest.shift();
    else if (FENCE.test(rest[0])) made.push(code(rest));
    else if (QUOTE.test(rest[0]) && depth < MOST_NESTED) made.push(quote(rest, depth));
    else if (ITEM.test(rest[0]) && depth < MOST_NESTED) made.push(list(rest, depth));
    else made.push(...paragraph(rest, isTight));
  }
  return made;
}

function code(rest) {
  const [, fence, word] = FENCE.exec(rest.shift());
  const isEnd = (line) => new RegExp(`^ {0,3}${fence}+\\s*$`).test(line);
  const end = rest.findIndex(isEnd);
  const lines = rest.splice(0, end < 0 ? rest.length : end);
  rest.shift();
  const text = lines.map((line) => `${line}\n`).join("");
  const head = word ? [element("figcaption", {}, word)] : [];
  return element("figure", { class: "code" }, ...head, element("pre", { dir: "ltr" }, element("code", {}, text)));
}

function quote(rest, depth) {
  const end = rest.findIndex((line) => !QUOTE.test(line));
  const lines = rest.splice(0, end < 0 ? rest.length : end).map((line) => line.replace(QUOTE, ""));
  return element("blockquote", { dir: "auto" }, ...blocks(lines, false, depth + 1));
}

const startsBlock = (line) => FENCE.test(line) || QUOTE.test(line) || ITEM_IN_TEXT.test(line);

function paragraph(rest, isTight) {
  const end = rest.findIndex((line, index) => index && (!line.trim() || startsBlock(line)));
  const text = rest.splice(0, end < 0 ? rest.length : end).map((line) => line.trim()).join("\n");
  return isTight ? spans(text) : [element("p", { dir: "auto" }, ...spans(text))];
}

function list(rest, depth) {
  const [, , marker, number] = ITEM.exec(rest[0]);
  const sign = marker.at(-1);
  const items = [];
  let isLoose = false;
  while (rest.length && ITEM.exec(rest[0])?.[2].at(-1) === sign) {
    const item = itemLines(rest);
    while (item.length && !item.at(-1).trim()) item.pop();
    items.push(item);
    const next = rest.findIndex((line) => line.trim());
    const goesOn = next > 0 && ITEM.exec(rest[next])?.[2].at(-1) === sign;
    isLoose ||= goesOn || item.some((line) => !line.trim());
    if (goesOn) rest.splice(0, next);
  }
  const made = items.map((item) => element("li", { dir: "auto" }, ...blocks(item, !isLoose, depth + 1)));
  const start = number && Number(number) !== 1 ? { start: Number(number) } : {};
  return element(number ? "ol" : "ul", start, ...made);
}

/** The lines of the first item, without its marker and what it is set in by. */
function itemLines(rest) {
  const [head] = ITEM.exec(rest[0]);
  const lines = [rest.shift().slice(head.length)];
  const isInside = (line) => line.slice(0, head.length).trim() === "" && line.trim();
  while (rest.length) {
    const next = rest.find((line) => line.trim());
    const follows = rest[0].trim() && lines.at(-1).trim() && !startsBlock(rest[0]) && !ITEM.test(rest[0]);
    if (!next || (!isInside(next) && !follows)) break;
    lines.push(isInside(rest[0]) ? rest.shift().slice(head.length) : rest.shift().trimStart());
  }
  return lines;
}

// Spans

const ADDRESS = "[^\\s<>\\[\\]\"`\\\\“”‘’«»、。，！？；：（）「」『』【】《》]*";
const SPANS = new RegExp(
  [
    /\\(?<escaped>[!-/:-@[-`{-~])/,
    /(?<ticks>`+)(?<code>(?:[^`]|(?!\k<ticks>)`){1,2000}?)\k<ticks>(?!`)/,
    /\[(?<label>[^[\]\n]{1,200})\]\((?<href>(?:https?:\/\/|mailto:)[^\s()]{1,300})\)/,
    new RegExp(`(?<![\\p{L}\\p{N}_])(?<link>https?://[\\p{L}\\p{N}]${ADDRESS}|www\\.[\\w-]{1,63}\\.[\\p{L}\\p{N}]${ADDRESS})`),
    /\*\*(?=\S)(?<strong>[^]{0,1000}?[^\s*])\*\*/,
    /(?<![\p{L}\p{N}_])__(?=\S)(?<strong2>[^]{0,1000}?\S)__(?![\p{L}\p{N}_])/,
    /\*(?=[^\s*])(?<em>[^]{0,1000}?[^\s*])\*/,
    /(?<![\p{L}\p{N}_])_(?=[^\s_])(?<em2>[^]{0,1000}?[^\s_])_(?![\p{L}\p{N}_])/,
    /~~(?=\S)(?<gone>[^]{0,1000}?\S)~~/,
    /(?<line> *\n)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "gu",
);
const LINK = { target: "_blank", rel: "nofollow noopener noreferrer" };

function spans(text) {
  const made = [];
  let at = 0;
  for (const found of text.matchAll(SPANS)) {
    const [whole, node] = span(found[0], found.groups);
    made.push(text.slice(at, found.index), node, found[0].slice(whole.length));
    at = found.index + found[0].length;
  }
  return [...made, text.slice(at)].filter(Boolean);
}

/** What was taken of the text found, and its node. */
function span(text, { escaped, code: inCode, label, href, link, strong, strong2, em, em2, gone, line }) {
  if (link) return bareLink(link);
  if (line) return [text, element("br")];
  if (escaped) return [text, escaped];
  if (inCode) return [text, element("code", {}, inCode.replace(/\n/g, " ").replace(/^ (.*\S.*) $/, "$1"))];
  if (label) return [text, element("a", { href, ...LINK }, ...spans(label))];
  if (gone) return [text, element("s", {}, ...spans(gone))];
  const isStrong = strong || strong2;
  return [text, element(isStrong ? "strong" : "em", {}, ...spans(isStrong || em || em2))];
}

/** Without the marks that close a sentence. */
function bareLink(link) {
  let text = link.replace(/[?!.,:;*_~']+$/, "");
  if (text.endsWith(")") && !text.includes("(")) text = text.slice(0, -1);
  const href = text.startsWith("www.") ? `http://${text}` : text;
  return [text, element("a", { href, ...LINK }, text)];
}
