/* Drafts: saves what is typed by itself, keeps it through a lost sign-in, and finds competencies. */
(function () {
  "use strict";
  var script = document.currentScript;
  var form = document.getElementById("draft");
  var url = script.dataset.autosave;
  var key = "bridge-draft:" + url + ":" + script.dataset.owner;
  if (!window.fetch) { return; }
  if (!form) { forget(); return; }
  var told = document.getElementById("saved");
  var seen = form.elements.namedItem("seen");
  var timer = 0, busy = false, again = false, dirty = false, stopped = false;

  function say(words) { if (told.textContent !== words) { told.textContent = words; } }

  function fields() {
    var kept = { seen: seen.value };
    ["reflection", "used", "verifier"].forEach(function (name) {
      var field = form.elements.namedItem(name);
      if (field) { kept[name] = field.value; }
    });
    kept.ticks = Array.prototype.map.call(
      form.querySelectorAll("input[name=tick]:checked"), function (box) { return box.value; });
    return kept;
  }

  /* Only what could not be saved is put into this tab's own memory, and it is gone once it is. */
  function remember() { try { sessionStorage.setItem(key, JSON.stringify(fields())); } catch (e) { /* none to use */ } }
  function forget() { try { sessionStorage.removeItem(key); } catch (e) { /* none to use */ } }

  function bringBack() {
    var kept;
    try { kept = JSON.parse(sessionStorage.getItem(key) || "null"); } catch (e) { return; }
    if (!kept) { return; }
    forget();
    var now = fields();
    if (kept.reflection === now.reflection && (kept.used || "") === (now.used || "")) { return; }
    /* Had another window saved meanwhile, this tells the bridge so, and it shows both. */
    seen.value = kept.seen;
    ["reflection", "used", "verifier"].forEach(function (name) {
      var field = form.elements.namedItem(name);
      if (field && kept[name]) { field.value = kept[name]; }
    });
    form.querySelectorAll("input[name=tick]").forEach(function (box) {
      box.checked = kept.ticks.indexOf(box.value) >= 0;
    });
    dirty = true;
    say("Your words from before you were signed out are back.");
    later(500);
  }

  function save(leaving) {
    if (stopped || !dirty) { return; }
    if (busy && !leaving) { again = true; return; }
    busy = true; dirty = false;
    var body = new FormData(form);
    body.delete("file");
    fetch(url, {
      method: "POST", body: new URLSearchParams(body), redirect: "manual", keepalive: !!leaving,
      credentials: "same-origin", headers: { "Accept": "application/json" }
    }).then(function (answer) {
      if (answer.ok) {
        return answer.json().then(function (kept) {
          seen.value = kept.seen; forget(); say("Saved " + kept.at);
        });
      }
      dirty = true; remember();
      if (answer.type === "opaqueredirect" || [400, 401, 403].indexOf(answer.status) >= 0) {
        stopped = true;
        say("You have been signed out, so this is not saved. Your words stay in this window: reload the page and sign in, and they come back.");
        return null;
      }
      return answer.json().then(function (problem) {
        stopped = answer.status === 409;
        say(problem.words ? "Not saved. " + problem.words : "Not saved yet. We try again as you type.");
      });
    }).catch(function () {
      dirty = true; remember();
      say("Not saved: there is no connection. We try again as you type.");
    }).then(function () {
      busy = false;
      if (again) { again = false; later(500); }
    });
  }

  function later(wait) { clearTimeout(timer); timer = setTimeout(save, wait); }
  function changed(event) {
    if (event.target.id === "find") { return; }
    dirty = true; later(event.type === "change" ? 300 : 2000);
  }
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", function () { clearTimeout(timer); stopped = true; remember(); });
  window.addEventListener("pagehide", function () { save(true); });
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "hidden") { save(true); }
  });

  var find = document.getElementById("find");
  if (find) {
    find.parentNode.hidden = false;
    find.addEventListener("keydown", function (event) {
      if (event.key === "Enter") { event.preventDefault(); }
    });
    find.addEventListener("input", function () {
      var words = find.value.toLowerCase().split(/\s+/);
      document.querySelectorAll("#add .section").forEach(function (section) {
        var left = 0;
        section.querySelectorAll(".form-check").forEach(function (row) {
          var text = row.textContent.toLowerCase();
          row.hidden = !words.every(function (word) { return text.indexOf(word) >= 0; });
          if (!row.hidden) { left += 1; }
        });
        section.hidden = !left;
      });
    });
  }
  bringBack();
})();
