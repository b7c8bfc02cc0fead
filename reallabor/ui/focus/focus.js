// Moves the focus to the heading of a new step. The last step outlives reruns, not a reload.

let last = null;

export default function ({ data }) {
  const isNew = last !== null && last !== data.step;
  last = data.step;
  const place = data.within ? `.st-key-${CSS.escape(data.within)} :is(h1, h2, h3)` : "h1";
  if (isNew) focusWhenDrawn(place, data.step);
}

/** The heading may still be that of the step before: wait until the page stands still. */
function focusWhenDrawn(selector, step, tries = 40) {
  const heading = document.querySelector(selector);
  const stands = document.querySelector('[data-test-script-state="notRunning"]');
  if (heading && stands) {
    heading.tabIndex = -1;
    heading.style.scrollMarginTop = "5rem";
    heading.style.setProperty("outline", "none", "important"); // nothing to operate here
    heading.scrollIntoView({ block: "start" });
    heading.focus({ preventScroll: true });
  } else if (tries > 0 && last === step) {
    setTimeout(() => focusWhenDrawn(selector, step, tries - 1), 50);
  }
}
