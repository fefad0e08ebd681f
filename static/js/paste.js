// Turns what was copied elsewhere into text with the marks of messages.

import { parseHtml } from "./dom.js";

const MARKS = { B: "**", STRONG: "**", I: "_", EM: "_", S: "~~", DEL: "~~", STRIKE: "~~", CODE: "`" };
const BLOCKS = "address article blockquote dd div dl dt figure h1 h2 h3 h4 h5 h6 hr li main ol p pre section table tr ul".toUpperCase().split(" ");
const SKIPPED = ["HEAD", "SCRIPT", "TEMPLATE", "TITLE"];
/** Some editors wrap all in a bold element that is not bold. */
const PLAIN = /font-(?:weight:\s*(?:normal|400)|style:\s*normal)/;

/** Where a line begins, however many elements begin or end there. */
const EDGE = "\u0001";

export const toMarkdown = (html) => tidy(inside(parseHtml(withoutStyles(html)).body));

/** The page's policy forbids them, and says so in the console. */
function withoutStyles(html) {
  const bare = html.replace(/<style[\s\S]*?<\/style\s*>/gi, "");
  return bare.replace(/<[a-z][^>]*/gi, (tag) => tag.replace(/\sstyle(?=\s*=)/i, " data-style"));
}

function tidy(text) {
  const lines = text.replace(/[ \t]*\u0001[\u0001 \t]*/g, EDGE);
  return lines.replace(/\u0001*\n\n[\u0001\n]*/g, "\n\n").replaceAll(EDGE, "\n").trim();
}

const inside = (node) => [...node.childNodes].map(textOf).join("");

function textOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data.replace(/\s+/g, " ");
  if (node.nodeType !== Node.ELEMENT_NODE || SKIPPED.includes(node.tagName)) return "";
  return BLOCKS.includes(node.tagName) ? EDGE + blockOf(node) + EDGE : inlineOf(node);
}

function inlineOf(node) {
  const { tagName: tag } = node;
  if (tag === "BR") return "\n";
  if (tag === "IMG") return node.alt;
  if (tag === "A") return linkOf(node);
  if (tag === "TD" || tag === "TH") return `${inside(node).trim()} `;
  return PLAIN.test(node.dataset.style ?? "") ? inside(node) : wrap(MARKS[tag], inside(node));
}

/** Marks stand at the letters: a space between would make them signs like any other. */
function wrap(mark, text) {
  const [, before, core, after] = /^(\s*)(.*?)(\s*)$/s.exec(text);
  return mark && core && !core.includes("\n") ? before + mark + core + mark + after : text;
}

function linkOf(node) {
  const [text, href] = [inside(node).trim(), node.getAttribute("href") ?? ""];
  if (!/^https?:/.test(href) || !text || text.includes("\n")) return text;
  return text === href ? href : `[${text}](${href})`;
}

function blockOf(node) {
  const { tagName: tag } = node;
  if (tag === "PRE") return apart(`\`\`\`\n${node.textContent.replace(/\n$/, "")}\n\`\`\``);
  const text = tidy(inside(node));
  if (tag === "BLOCKQUOTE") return apart(text.replace(/^/gm, "> "));
  if (tag === "LI") return `${bulletOf(node)} ${text.replace(/\n+/g, "\n  ")}`;
  if (/^H\d$/.test(tag)) return apart(wrap("**", text.replaceAll("**", "")));
  return ["P", "UL", "OL"].includes(tag) ? apart(text) : text;
}

const apart = (text) => `\n\n${text}\n\n`;

function bulletOf(item) {
  const { parentElement: list } = item;
  return list?.tagName === "OL" ? `${[...list.children].indexOf(item) + (list.start ?? 1)}.` : "-";
}
