// German for the labels that Streamlit 1.67 writes itself, and no single-key shortcuts (WCAG 2.1.4).
// Text of the app is never touched: only Streamlit's own controls are looked at.
(() => {
  "use strict";
  const WORDS = new Map(Object.entries({
    "Skip to main content": "Zum Hauptinhalt springen",
    "(required)": "(Pflichtfeld)",
    "No results": "Keine Treffer",
    "Select all": "Alle auswählen",
    "Page not found": "Seite nicht gefunden",
    "The page that you have requested does not seem to exist. Running the app's main page.":
      "Diese Seite gibt es nicht. Es wird die Startseite gezeigt.",
    "Connection error": "Verbindung unterbrochen",
    "Streamlit server is not responding. Are you connected to the internet?":
      "Reallabor antwortet nicht. Läuft der Dienst, und besteht die Verbindung im Haus?",
    "Connecting": "Verbindung wird aufgebaut",
    "Close": "Schließen",
    "Open": "Öffnen",
    "Clear value": "Auswahl löschen",
    "Clear all": "Alles löschen",
    "open": "öffnen",
    "Main menu": "Hauptmenü",
    "Sidebar": "Seitenleiste",
    "App pages": "Seiten",
    "Collapse sidebar": "Seitenleiste einklappen",
    "Expand sidebar": "Seitenleiste ausklappen",
    "Close sidebar": "Seitenleiste einklappen",
    "Open sidebar": "Seitenleiste ausklappen",
    "Copy to clipboard": "In die Zwischenablage kopieren",
    "Running...": "Wird geladen …",
    "Stop": "Anhalten",
    "Rerun": "Neu laden",
    "Settings": "Einstellungen",
    "Print": "Drucken",
    "Theme": "Darstellung",
    "Use system setting": "Wie im System",
    "Light": "Hell",
    "Dark": "Dunkel",
    "System": "System",
    "Wide mode": "Breite Darstellung",
    "Appearance": "Darstellung",
    "About": "Über",
    "Please wait...": "Bitte warten …",
    "Upload": "Datei wählen",
    "Browse files": "Datei wählen",
    "Uploading...": "Wird übertragen …",
    "Drag and drop file here": "Datei hierher ziehen",
    "Drag and drop files here": "Dateien hierher ziehen",
    "Delete": "Entfernen",
    "view more": "mehr anzeigen",
    "view less": "weniger anzeigen",
    "Calendar": "Kalender",
    "Failed to generate file for download":
      "Die Datei ließ sich nicht herstellen. Bitte die Seite neu laden und noch einmal versuchen.",
    "Request timed out": "Das hat zu lange gedauert. Bitte noch einmal versuchen.",
    "Download failed":
      "Die Datei kam nicht an. Bitte die Seite neu laden und noch einmal versuchen.",
  }));
  const PATTERNS = [
    [/^Press (.+) to apply$/, "Mit $1 übernehmen"],
    [/^Press (.+) to submit form$/, "Mit $1 absenden"],
    [/^Fullscreen(.*)$/, "Vollbild$1"],
    [/^Close fullscreen(.*)$/, "Vollbild beenden$1"],
    [/^Selected (.+)\. (.+)$/, "Gewählt: $1. $2"],
    [/^Help for (.+)$/, "Hilfe zu $1"],
    [/^([\d.]+)\s?MB per file(.*)$/, "höchstens $1 MB je Datei$2"],
    [/^File must be ([\d.]+)\s?MB or smaller\.$/, "Die Datei darf höchstens $1 MB groß sein."],
    [/^(.*) files are not allowed\.$/, "Solche Dateien werden hier nicht gelesen."],
    [/^Remove (.+)$/, "$1 entfernen"],
    [/^Delete (.+)$/, "$1 entfernen"],
    [/^Tooltip: (.+)$/, "Hinweis: $1"],
    [/^Download plot as an? (\w+)$/i, "Diagramm als $1 speichern"],
    [/^Download plot$/i, "Diagramm als Bild speichern"],
  ];
  const OWN = "[data-testid=stMarkdownContainer],[data-testid=stText],[data-testid=stTable]," +
    "textarea,[contenteditable]";
  const UPLOADER = "[data-testid=stFileUploaderDropzone]";
  const ATTRIBUTES = ["aria-label", "title", "placeholder", "data-title"];

  const german = (text) => {
    const plain = text.trim();
    if (!plain) return null;
    if (WORDS.has(plain)) return text.replace(plain, WORDS.get(plain));
    const hit = PATTERNS.find(([pattern]) => pattern.test(plain));
    return hit ? text.replace(plain, plain.replace(hit[0], hit[1])) : null;
  };
  const mendText = (node) => {
    const own = node.parentElement?.closest(OWN);
    if (own && !own.closest(UPLOADER)) return;
    const text = german(node.data);
    if (text !== null && text !== node.data) node.data = text;
  };
  const mendAttributes = (element) => {
    for (const name of ATTRIBUTES) {
      const value = element.getAttribute(name);
      const text = value && german(value);
      if (text && text !== value) element.setAttribute(name, text);
    }
  };
  const mend = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return mendText(node);
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    mendAttributes(node);
    node.querySelectorAll("[aria-label],[title],[placeholder],[data-title]").forEach(mendAttributes);
    const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) mendText(walker.currentNode);
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "characterData") mendText(change.target);
      else if (change.type === "attributes") mendAttributes(change.target);
      else change.addedNodes.forEach(mend);
    }
  }).observe(document.documentElement, {
    subtree: true, childList: true, characterData: true, attributes: true,
    attributeFilter: ATTRIBUTES,
  });
  // A table that is wider than the screen can be reached and moved with the keyboard (WCAG 2.1.1).
  const reachTables = () => {
    for (const table of document.querySelectorAll("[data-testid=stTable]")) {
      for (const box of [table.parentElement, table, ...table.querySelectorAll("div")]) {
        const wide = box.scrollWidth > box.clientWidth + 1 &&
          /auto|scroll/.test(getComputedStyle(box).overflowX);
        if (wide && box.tabIndex !== 0) {
          box.tabIndex = 0;
          box.setAttribute("role", "group");
          box.setAttribute("aria-label", "Tabelle, seitlich verschiebbar");
        }
      }
    }
  };
  let waiting = 0;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(reachTables, 100);
  };
  new MutationObserver(soon).observe(document.documentElement, { subtree: true, childList: true });
  addEventListener("resize", soon);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !/^[rRcC]$/.test(event.key)) return;
    const target = event.composedPath()[0];
    if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
    event.stopImmediatePropagation();
  }, true);
})();
