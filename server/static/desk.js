// The desks' own script: what a browser adds to pages that work without it. It asks nobody but this server.
"use strict";

// A short tone: high for done, low and twice for refused. No file is loaded for it.
let sound = null;
function tone(good) {
  try {
    sound ??= new AudioContext();
    const beep = (frequency, start) => {
      const source = sound.createOscillator();
      const volume = sound.createGain();
      source.frequency.value = frequency;
      volume.gain.value = 0.15;
      source.connect(volume).connect(sound.destination);
      source.start(sound.currentTime + start);
      source.stop(sound.currentTime + start + 0.12);
    };
    beep(good ? 880 : 220, 0);
    if (!good) beep(220, 0.2);
  } catch {
    // A browser without sound shows the line all the same.
  }
}

// A scanner adds what nobody sees or meant: control and format characters, the mark of the symbology, a Code 39's stars.
// The server does the same (console/scanned.rs).
function clean(text) {
  const seen = text.replace(/[\p{Cc}\p{Cf}]/gu, "").trim();
  const code = seen.replace(/^\][A-Za-z][0-9A-Za-z](?=.)/, "");
  return (code.length > 2 && code.startsWith("*") && code.endsWith("*") ? code.slice(1, -1) : code).trim();
}

// A field for codes: what is scanned into it takes the place of what stands there.
function scanning(field) {
  field.addEventListener("focus", () => field.select());
  if (document.activeElement === field) field.select();
  field.form.addEventListener("submit", () => { field.value = clean(field.value); });
}

// Scans that wait for their answer, kept while the tab is open: a session's end or a reload loses none of them. Each is
// a form without its proof, which is the session's.
// What was scanned at one desk is not sent at another.
const KEPT = `cartable-scans ${location.pathname}`;
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? { who: "", scans: [] };
  } catch {
    return { who: "", scans: [] };
  }
}
function keep(who, scans) {
  try {
    if (scans.length > 0) sessionStorage.setItem(KEPT, JSON.stringify({ who, scans }));
    else sessionStorage.removeItem(KEPT);
  } catch {
    // Without storage they live as long as the page.
  }
}

// The return desk: scans go out one after the other, the field is free for the next at once.
function desk(form) {
  const field = form.querySelector("[data-code]");
  const lines = document.getElementById("lines");
  const counts = { good: document.getElementById("count-good"), bad: document.getElementById("count-bad") };
  const failed = document.getElementById("line-failed");
  const refused = document.getElementById("line-refused");
  const notice = document.getElementById("waiting");
  const signedIn = () => document.querySelector(".who")?.textContent ?? "";
  const before = kept();
  // Who scanned what waits: it goes out under another name only when that person says so.
  let who = before.scans.length > 0 ? before.who : signedIn();
  const waiting = before.scans;
  let busy = false;

  function show(html, code, otherwise = failed) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    let line = holder.content.querySelector("li");
    if (!line) {
      line = otherwise.content.querySelector("li").cloneNode(true);
      line.querySelector("[data-what]").textContent = code;
    }
    const good = line.dataset.outcome === "good";
    // Only the newest return may be undone.
    if (good) for (const undo of lines.querySelectorAll("form[action='/returns/undo']")) undo.remove();
    lines.prepend(line);
    const count = good ? counts.good : counts.bad;
    count.textContent = String(Number(count.textContent) + 1);
    tone(good);
  }

  // Says why scans wait and which, or nothing when none does.
  function tell(why) {
    for (const part of ["ended", "other"]) notice.querySelector(`[data-${part}]`).hidden = part !== why;
    const codes = waiting.map((scan) => new URLSearchParams(scan).get("code"));
    notice.querySelector("[data-codes]").replaceChildren(...codes.map((code) => {
      const item = document.createElement("li");
      item.textContent = code;
      return item;
    }));
    if (why && notice.hidden) tone(false);
    notice.hidden = !why;
  }

  async function ask(scan) {
    const body = new URLSearchParams(scan);
    body.set("csrf", form.elements.csrf.value);
    const headers = { "X-Cartable-Line": "1" };
    return fetch(form.action, { method: "POST", body, headers, redirect: "manual" });
  }

  // After signing in again the session's proof is another: takes it from the page as it is now. Whether there was one.
  async function renew() {
    const answer = await fetch(location.pathname, { redirect: "manual" });
    if (!answer.ok) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const proof = page.querySelector("form[data-desk] input[name=csrf]")?.value;
    if (!proof || proof === form.elements.csrf.value) return false;
    for (const old of document.querySelectorAll("input[name=csrf]")) old.value = proof;
    const name = document.querySelector(".who");
    if (name) name.textContent = page.querySelector(".who")?.textContent ?? "";
    return true;
  }

  // What became of the first scan that waits: answered, or why it goes on waiting.
  async function first() {
    const code = new URLSearchParams(waiting[0]).get("code");
    let html = "";
    let otherwise = failed;
    try {
      let answer = await ask(waiting[0]);
      if (answer.status === 403 && await renew()) {
        if (signedIn() !== who) return "other";
        answer = await ask(waiting[0]);
      }
      // Nobody is signed in: the answer leads to the sign-in page.
      if (answer.type === "opaqueredirect") return "ended";
      if (answer.ok) html = await answer.text();
      else if (answer.status < 500) otherwise = refused;
    } catch {
      // Shown as a line that says so: whoever stands there scans again.
    }
    waiting.shift();
    show(html, code, otherwise);
    return "";
  }

  async function send() {
    if (busy) return;
    busy = true;
    let why = "";
    while (waiting.length > 0 && !why) {
      why = signedIn() === who ? await first() : "other";
      keep(who, waiting);
    }
    tell(why);
    busy = false;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value !== "") {
      const scan = new URLSearchParams(new FormData(form));
      scan.delete("csrf");
      if (waiting.length === 0) who = signedIn();
      waiting.push(scan.toString());
      keep(who, waiting);
      send();
    }
    // The next device is in good condition and whole until somebody says otherwise.
    form.reset();
    field.value = "";
    field.focus();
  });
  notice.querySelector("button").addEventListener("click", () => {
    who = signedIn();
    send();
    field.focus();
  });
  // Back from the tab in which the person signed in.
  window.addEventListener("focus", () => { if (waiting.length > 0) send(); });
  if (waiting.length > 0) send();
}

// A signature drawn with finger, pen or mouse: numbers, written into a hidden field.
function signature(box) {
  const canvas = box.querySelector("canvas");
  const field = box.querySelector("input[type=hidden]");
  const drawn = document.querySelector("input[name=signature][value=drawn]");
  const brush = canvas.getContext("2d");
  const most = 2000;
  const before = field.value;
  const chosen = document.querySelector("input[name=signature]:checked");
  let strokes = [];
  let points = 0;
  let down = false;
  brush.lineWidth = 3;
  brush.lineCap = brush.lineJoin = "round";
  brush.strokeStyle = "#14123a";

  function at(event) {
    const frame = canvas.getBoundingClientRect();
    const within = (value, most) => Math.max(0, Math.min(most, Math.round(value)));
    return [
      within((event.clientX - frame.left) * canvas.width / frame.width, canvas.width),
      within((event.clientY - frame.top) * canvas.height / frame.height, canvas.height),
    ];
  }

  function add(point, begins) {
    if (points >= most) return;
    points += 1;
    if (begins) {
      strokes.push([point]);
      brush.beginPath();
      brush.moveTo(...point);
    } else {
      strokes[strokes.length - 1].push(point);
      brush.lineTo(...point);
      brush.stroke();
    }
    field.value = strokes.map((stroke) => stroke.map((point) => point.join(",")).join(" ")).join(";");
    drawn.checked = true;
  }

  // A form that came back shows what was drawn, and what was chosen then.
  for (const stroke of before ? before.split(";") : []) {
    stroke.split(" ").forEach((point, index) => add(point.split(",").map(Number), index === 0));
  }
  if (chosen) chosen.checked = true;

  canvas.addEventListener("pointerdown", (event) => {
    down = true;
    canvas.setPointerCapture(event.pointerId);
    add(at(event), true);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => { if (down) add(at(event), false); });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { down = false; });
  box.querySelector("button").addEventListener("click", () => {
    strokes = [];
    points = 0;
    field.value = "";
    brush.clearRect(0, 0, canvas.width, canvas.height);
  });
  drawn.closest("label").hidden = false;
  box.hidden = false;
}

// The telephone's camera, where the browser reads bar codes itself.
function camera(button) {
  const field = document.querySelector("[data-code]");
  const video = document.getElementById("camera");
  let stream = null;

  function stop() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.hidden = true;
    button.setAttribute("aria-pressed", "false");
  }

  async function look(detector) {
    if (!stream) return;
    const codes = await detector.detect(video).catch(() => []);
    if (codes.length > 0 && stream) {
      field.value = codes[0].rawValue;
      stop();
      field.form.requestSubmit();
      return;
    }
    setTimeout(look, 150, detector);
  }

  button.addEventListener("click", async () => {
    if (stream) return stop();
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      return tone(false);
    }
    video.srcObject = stream;
    video.hidden = false;
    button.setAttribute("aria-pressed", "true");
    await video.play();
    look(new BarcodeDetector({ formats: ["code_128", "qr_code", "ean_13", "code_39"] }));
  });
  button.hidden = false;
}

// The fields first: what they hold is clean when a form is read.
for (const field of document.querySelectorAll("[data-code], [data-scan]")) scanning(field);
for (const form of document.querySelectorAll("form[data-desk]")) desk(form);
for (const box of document.querySelectorAll("[data-signature]")) signature(box);
if ("BarcodeDetector" in window && navigator.mediaDevices) {
  for (const button of document.querySelectorAll("button[data-camera]")) camera(button);
}
