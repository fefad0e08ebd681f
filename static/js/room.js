// A chat that was opened: its members, and one unbroken stretch of its messages.

import { get } from "./socket.js";
import { store } from "./store.js";

const PAGE_SIZE = 50;

export class Room {
  /** By seq. Those above `last` came before their predecessors did, and wait for them. */
  messages = new Map();
  members = new Map();
  first = 1;
  last = 0;
  isFilled = false;
  /** Of what is held, where it is older than the chat; a number to ask for the changes since. */
  staleSince = null;
  /** Where the reader left it, what they were said to have seen, and whether that is to stay so. */
  place = null;
  toldSeq = 0;
  isLeftUnread = false;
  #seqs = new Map();
  #loads = 0;
  #early = new Map();

  constructor(id) {
    this.id = id;
  }

  get hasBefore() {
    return this.isFilled && this.first > 1;
  }

  get hasAfter() {
    return this.last < (store.chats.get(this.id)?.last_seq ?? 0);
  }

  withId(id) {
    return this.messages.get(this.#seqs.get(id));
  }

  /** The messages from a seq up to another, then those that wait for their predecessors. */
  from(seq, to = Infinity) {
    const found = [];
    for (let at = Math.max(seq, this.first); at <= Math.min(to, this.last); at++) found.push(this.messages.get(at));
    if (to < this.last) return found;
    const waiting = [...this.messages.values()].filter((message) => message.seq > this.last);
    return [...found, ...waiting.sort((one, other) => one.seq - other.seq)];
  }

  /** True where it was not known so. What joins neither end of the stretch is not kept. */
  take(message) {
    const known = this.messages.get(message.seq);
    if (known && known.version >= message.version) return false;
    const chat = store.chats.get(this.id);
    const isNext = message.seq > this.last && this.last >= chat.last_seq - 1;
    if (known || isNext || message.seq === this.last + 1) this.#put(message);
    else if (this.#loads) this.#early.set(message.seq, message);
    return true;
  }

  #put(message) {
    this.#keep(message);
    while (this.messages.has(this.last + 1)) this.last += 1;
  }

  #keep(message) {
    this.messages.set(message.seq, message);
    this.#seqs.set(message.id, message.seq);
  }

  takeMember(member) {
    if (member.left_at) this.members.delete(member.user.id);
    else this.members.set(member.user.id, member);
    store.names.set(member.user.id, member.user.display_name);
  }

  /** Joins a page to the stretch, or starts anew with it where there is a gap between. */
  keepPage(results) {
    const [low, high] = [results[0]?.seq ?? 1, results.at(-1)?.seq ?? 0];
    if (low > this.last + 1 || high < this.first - 1 || !this.isFilled) this.#clear(low);
    for (const message of results) {
      const known = this.messages.get(message.seq);
      if (!known || known.version < message.version) this.#keep(message);
      if (message.sender) store.names.set(message.sender.id, message.sender.display_name);
    }
    this.first = Math.min(this.first, low);
    this.last = Math.max(this.last, high);
    while (this.messages.has(this.last + 1)) this.last += 1;
    this.isFilled = true;
    const waiting = [...this.messages.keys()].filter((seq) => seq > this.last);
    const isPast = this.last + waiting.length < store.chats.get(this.id).last_seq;
    if (isPast) for (const seq of waiting) this.messages.delete(seq);
  }

  /** What came live while the first page was under way stays, where it follows that page. */
  #clear(low) {
    for (const seq of this.messages.keys()) if (this.isFilled || seq < low) this.messages.delete(seq);
    this.first = low;
    this.last = low - 1;
  }

  loadOlder() {
    return this.load(`before=${this.first}&`);
  }

  loadNewer() {
    return this.load(`after=${this.last}&`);
  }

  /** Around a seq, or the newest page where there is none. */
  loadAround(seq) {
    return this.load(seq ? `around=${seq}&` : "");
  }

  load(query) {
    return this.#reading(async () => {
      const { results } = await get(`/chats/${this.id}/messages?${query}limit=${PAGE_SIZE}`);
      this.keepPage(results);
    });
  }

  /** What comes live while rows are read, and fits nowhere yet, is not lost. */
  async #reading(read) {
    this.#loads += 1;
    try {
      await read();
    } finally {
      this.#loads -= 1;
      const early = [...this.#early.values()].sort((one, other) => one.seq - other.seq);
      if (!this.#loads) this.#early.clear();
      for (const message of early) this.take(message);
    }
  }

  async loadMembers() {
    const { results } = await get(`/chats/${this.id}/members?limit=200`);
    this.members.clear();
    for (const member of results) this.takeMember(member);
  }

  /** Brings what was kept up to date; starts anew where too much has changed. */
  catchUp() {
    return this.#reading(async () => {
      const found = await get(`/chats/${this.id}/changes?since=${this.staleSince}`);
      this.staleSince = null;
      if (!found.complete) return this.renew();
      for (const member of found.members) this.takeMember(member);
      for (const message of found.messages) this.take(message);
    });
  }

  /** Drops what is held for what the server has now, near the same place. */
  async renew(seq = 0) {
    this.isFilled = false;
    this.messages.clear();
    await Promise.all([this.loadAround(seq), this.loadMembers()]);
  }

  /** Finds a message that is not held, by halves: ids rise with seq. Null where there is none. */
  async lookUp(id) {
    let [low, high] = [1, store.chats.get(this.id).last_seq];
    while (low <= high) {
      const middle = Math.floor((low + high) / 2);
      const { results } = await get(`/chats/${this.id}/messages?around=${middle}&limit=${PAGE_SIZE}`);
      const found = results.find((message) => message.id === id);
      if (found || !results.length) return found ?? null;
      if (id < results[0].id) high = results[0].seq - 1;
      else if (id > results.at(-1).id) low = results.at(-1).seq + 1;
      else return null;
    }
    return null;
  }
}
