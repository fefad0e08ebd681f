// How a page looks by what its reader has chosen, and how the tabs hear of what is chosen.

import { pageData } from "./dom.js";

const others = new BroadcastChannel(`chosen:${pageData("me").id}`);

/** As templates/_html.html has it; what was not chosen, as accounts/preferences.py has it. */
export function wear({ theme = "system", density = "comfortable", text_size: textSize = "normal" }) {
  Object.assign(document.documentElement.dataset, { theme, density, textSize });
}

export const tell = (settings) => others.postMessage(settings);
export const hear = (take) => others.addEventListener("message", ({ data }) => take(data));
