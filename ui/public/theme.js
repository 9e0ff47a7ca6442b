// Set before the first paint, so that nothing flashes; a file of its own because the page allows no inline script.
(function () {
  var chosen = null;
  try {
    chosen = JSON.parse(localStorage.getItem("tw:prefs") || "{}");
  } catch (_) {
    chosen = {};
  }
  var dark = chosen.theme === "dark" || (chosen.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.documentElement.dataset.density = chosen.density === "compact" ? "compact" : "comfortable";
})();
