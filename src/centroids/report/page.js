"use strict";
// Choosing a cluster, and replaying the fit. Everything on the page is readable without it.
(() => {
  const body = document.body;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const linked = all("[data-cluster]");
  const points = all("#map .point");
  const says = document.getElementById("says");
  let chosen = null;

  // ---- choose a cluster: every chart follows
  function choose(cluster) {
    chosen = cluster === chosen ? null : cluster;
    body.classList.toggle("has-choice", chosen !== null);
    for (const mark of linked) {
      const isChosen = mark.dataset.cluster === chosen;
      mark.classList.toggle("is-chosen", isChosen);
      if (mark.hasAttribute("aria-pressed")) mark.setAttribute("aria-pressed", isChosen);
      if (mark.tagName === "DETAILS" && isChosen) mark.open = true;
    }
    showPoints();
    says.textContent = chosen === null
      ? "All clusters are shown."
      : `Cluster ${chosen} is chosen. Escape shows all again.`;
  }

  function showPoints() {
    for (const point of points)
      point.classList.toggle("is-chosen", point.dataset.now === chosen);
  }

  const chooser = (target) => target.closest("[data-choose]");
  document.addEventListener("click", (event) => {
    if (event.target.closest("a, input, summary")) return;
    const point = event.target.closest("#map .point");
    const button = chooser(event.target);
    if (button) choose(button.dataset.choose === "all" ? chosen : button.dataset.choose);
    else if (point) choose(point.dataset.now);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && chosen !== null) choose(chosen);
    const isButton = event.target.tagName === "BUTTON";  // these click by themselves
    if ((event.key === "Enter" || event.key === " ") && !isButton && chooser(event.target) &&
        event.target.hasAttribute("tabindex")) {
      event.preventDefault();
      choose(chooser(event.target).dataset.choose);
    }
  });

  // ---- replay: centers move, rows take the color of the nearest center then
  const data = document.getElementById("replay-data");
  if (data) {
    const {frames, n_frames} = JSON.parse(data.textContent);
    const slider = document.getElementById("iteration");
    const play = document.getElementById("play");
    const when = document.getElementById("when");
    const centers = all("#map .center");
    const paths = all("#map .path");
    const regions = document.querySelector("#map .regions");
    const last = frames.length - 1;
    const hasSearch = frames[last].searched ? 1 : 0;
    let timer = null;

    function show(i) {
      const frame = frames[i];
      slider.value = i;
      frame.centers.forEach(([x, y], j) => {
        centers[j].setAttribute("transform", `translate(${x} ${y})`);
        paths[j].setAttribute(
          "points", frames.slice(0, i + 1).map((f) => f.centers[j].join(",")).join(" "));
      });
      points.forEach((point, p) => {
        const label = String(frame.labels[p]);
        if (point.dataset.now === label) return;
        point.classList.remove(`c${point.dataset.now}`);
        point.classList.add(`c${label}`);
        point.dataset.now = label;
      });
      if (regions) regions.style.visibility = i === last ? "visible" : "hidden";
      const percent = (100 * frame.moved).toFixed(frame.moved < 0.1 ? 1 : 0);
      let moved = `, ${percent} % of the rows changed their cluster`;
      if (frame.moved === null) moved = "";
      else if (frame.moved === 0) moved = ", no row changed its cluster";
      else if (percent === "0.0") moved = ", under 0.1 % of the rows changed their cluster";
      let text = `After ${frame.n} of ${n_frames - 1 - hasSearch} iterations`;
      if (frame.n === 0) text = "First centers";
      if (frame.searched) text = "What the search after the run found";
      when.textContent = `${text}: inertia ${frame.inertia}${frame.n ? moved : ""}`;
      slider.setAttribute("aria-valuetext", when.textContent);
      showPoints();
    }

    function stop() {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
    }
    slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
    play.addEventListener("click", () => {
      if (timer) return stop();
      let i = Number(slider.value) === last ? 0 : Number(slider.value);
      show(i);
      play.textContent = "Stop";
      timer = setInterval(() => { if (i < last) show(++i); if (i >= last) stop(); }, 700);
    });
    document.getElementById("replay").hidden = false;
    show(last);
    window.addEventListener("beforeprint", () => { stop(); show(last); });
  }

  // ---- on paper everything is open, in full color
  window.addEventListener("beforeprint", () => {
    if (chosen !== null) choose(chosen);
    for (const part of all("details")) part.open = true;
  });
  body.classList.add("has-script");
})();
