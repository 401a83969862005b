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

// The return desk: scans go out one after the other, the field is free for the next at once.
function desk(form) {
  const field = form.querySelector("[data-code]");
  const lines = document.getElementById("lines");
  const counts = { good: document.getElementById("count-good"), bad: document.getElementById("count-bad") };
  const failed = document.getElementById("line-failed");
  const waiting = [];
  let busy = false;

  function show(html, code) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    let line = holder.content.querySelector("li");
    if (!line) {
      line = failed.content.querySelector("li").cloneNode(true);
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

  async function send() {
    if (busy) return;
    busy = true;
    while (waiting.length > 0) {
      const body = waiting.shift();
      let html = "";
      try {
        const answer = await fetch(form.action, {
          method: "POST", body, headers: { "X-Cartable-Line": "1" }, redirect: "error",
        });
        if (answer.ok) html = await answer.text();
      } catch {
        // Shown as a line that says so: whoever stands there scans again.
      }
      show(html, body.get("code"));
    }
    busy = false;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim() !== "") {
      waiting.push(new URLSearchParams(new FormData(form)));
      send();
    }
    // The next device is in good condition and whole until somebody says otherwise.
    form.reset();
    field.value = "";
    field.focus();
  });
}

// A signature drawn with finger, pen or mouse: numbers, written into a hidden field.
function signature(box) {
  const canvas = box.querySelector("canvas");
  const field = box.querySelector("input[type=hidden]");
  const drawn = document.querySelector("input[name=signature][value=drawn]");
  const brush = canvas.getContext("2d");
  const most = 2000;
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

for (const form of document.querySelectorAll("form[data-desk]")) desk(form);
for (const box of document.querySelectorAll("[data-signature]")) signature(box);
if ("BarcodeDetector" in window && navigator.mediaDevices) {
  for (const button of document.querySelectorAll("button[data-camera]")) camera(button);
}
