// What the scoring sheet and the adjudication desk share: elements, names for what is sent, sending again, keys.

const FIRST_RETRY_MS = 4_000;
const LAST_RETRY_MS = 30_000;

/** Builds an element; texts always become text nodes, never markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** `crypto.randomUUID` exists only under https; a closed network may still speak http. */
function newUuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Does `again` after a while, every time it is put off a longer one, until it is stopped. */
function createRetry(again) {
  let timer = null;
  let delay = FIRST_RETRY_MS;
  return {
    isWaiting: () => timer !== null,

    later() {
      clearTimeout(timer);
      timer = setTimeout(() => {
        delay = Math.min(delay * 2, LAST_RETRY_MS);
        again();
      }, delay);
    },

    stop() {
      clearTimeout(timer);
      timer = null;
      delay = FIRST_RETRY_MS;
    },
  };
}

/** Hears the keys inside `root`. Ctrl and Enter confirm from everywhere; all others go to `press` with `plain`
    (no other key is held) and `act`, which does something and keeps the key from everybody else. */
function hearKeys(root, confirm, press) {
  function hear(event) {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    // Streamlit's global keys ("r" reruns, "c" clears the cache) must not hear what is typed here.
    if (plain && (event.key.length === 1 || event.key === "Enter")) event.stopPropagation();
    if (event.type !== "keydown" || event.isComposing) return;

    const act = (action) => {
      event.preventDefault();
      event.stopPropagation();
      action();
    };
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return event.repeat || act(confirm);
    press(event, { plain, act });
  }

  for (const type of ["keydown", "keypress", "keyup"]) root.addEventListener(type, hear);
}
