/**
 * Two networks that train in the page. Any `<div data-playground='{"preset": "name"}'>`, or with settings in place of the
 * preset, becomes one; `data-compact` leaves the pictures that the preset is about and the buttons to play it.
 */
lesson.playground = (() => {
  "use strict";
  const { element, menu } = lesson;
  const ALL = [
    ["gradients", "slopes", "units"],
    ["regions", "loss"],
  ];
  const SENTENCE_EVERY = 4000; // milliseconds between sentences for screen readers while it plays
  const CALM_EVERY = 500; // milliseconds between pictures for readers who asked for less motion
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {HTMLElement} root */
  function playground(root) {
    const isCompact = "compact" in root.dataset;
    const given = JSON.parse(root.dataset.playground || "{}");
    const preset = given.preset ? lesson.presets[given.preset] : null;
    let settings = menu.complete(preset ? preset.settings : given);
    let played = null;
    let isInterrupted = false; // was playing when it left the reader's sight
    let isAsked = false; // a drawing is under way
    const next = { picture: 0, sentence: 0 }; // milliseconds

    const places = lesson.places(root, isCompact);
    const pictures = lesson.pictures(places.pictures);
    const run = lesson.run(settings, { onLook: look, onError: complain });
    const bar = lesson.buttons.bar(places.bar, { toggle, step: () => run.step(), reset: () => change(settings) });
    const chosen = isCompact ? [] : choosers();
    show();
    followWidth();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    document.addEventListener("lesson:projector", draw);
    lesson.visibility(root, { onShow: resume, onHide: interrupt });

    /** Draws anew at another width; the height changes with what is written below the pictures. */
    function followWidth() {
      let width = 0;
      new ResizeObserver(() => {
        if (places.pictures.clientWidth === width) return;
        width = places.pictures.clientWidth;
        draw();
      }).observe(places.pictures);
    }

    /** What a whole playground can be set by. */
    function choosers() {
      lesson.buttons.extras(places.extras, {
        seed: () => change({ ...settings, seed: (settings.seed + 1) % (menu.SHARED.seed.most + 1) }),
        pace: run.pace,
        link: () => location.href.split("#")[0] + lesson.address.write(settings),
      });
      const choose = (name) => change(menu.complete(lesson.presets[name].settings));
      return [lesson.controls(places.controls, change), lesson.situations(places.situations, choose)];
    }

    /** The preset that is being played, whatever its seed. */
    function current() {
      const name = lesson.address.presetOf(settings);
      return name ? { name, ...lesson.presets[name] } : null;
    }

    /** The pictures that the preset is about, and in a whole playground the others after them. */
    function columns() {
      const chosen = current()?.pictures ?? [[], []];
      if (isCompact) return chosen;
      return ALL.map((column, index) => [...chosen[index], ...column.filter((kind) => !chosen.flat().includes(kind))]);
    }

    function toggle() {
      if (run.isPlaying) run.pause();
      else play();
      bar.show(run, settings);
    }

    function play() {
      const steps = current()?.steps ?? 0;
      run.play((run.last?.step ?? 0) < steps ? steps : undefined);
    }

    /** New settings, or the old ones once more from the start; what played goes on playing. */
    function change(changed) {
      const goesOn = run.isPlaying;
      settings = changed;
      played = null;
      complain("");
      run.restart(settings);
      show();
      if (goesOn) play();
      if (!isCompact) history.replaceState(null, "", lesson.address.write(settings));
    }

    function show() {
      for (const chooser of chosen) chooser.show(settings);
      pictures.show(settings, columns());
      lesson.verdict.show(places.verdict, { preset: current() }, settings);
      places.said.textContent = "";
      const { depth, width, optimizer, seed } = settings;
      const words = [
        `${depth} hidden layer${depth === 1 ? "" : "s"} of ${width} units`,
        menu.SHARED.optimizer.choices[optimizer],
        `seed ${seed}`,
      ];
      places.about.replaceChildren(...about(settings), element("span", { class: "hint" }, words.join(" · ")));
      if (places.open) places.open.href = lesson.address.write(settings);
      next.picture = 0;
      draw();
    }

    function look() {
      const preset = current();
      if (preset && !played && run.last.step >= preset.steps) {
        played = { preset, first: run.first, last: run.last };
        lesson.verdict.show(places.verdict, played, settings);
        const detail = { preset: preset.name, settings, first: run.first, last: run.last };
        document.dispatchEvent(new CustomEvent("lesson:played", { detail }));
      }
      const now = performance.now();
      if (!run.isPlaying || now >= next.sentence) {
        next.sentence = now + SENTENCE_EVERY;
        places.said.textContent = lesson.verdict.sentence(run, settings);
      }
      if (run.isPlaying && calm.matches && now < next.picture) return;
      next.picture = now + CALM_EVERY;
      draw();
    }

    function draw() {
      if (isAsked) return;
      isAsked = true;
      requestAnimationFrame(() => {
        isAsked = false;
        bar.show(run, settings);
        pictures.draw(run, current()?.steps);
        Object.assign(root.dataset, { step: run.last?.step ?? "", state: run.isPlaying ? "playing" : "paused" });
      });
    }

    function resume() {
      run.wake();
      if (isInterrupted && !calm.matches) play();
      isInterrupted = false;
    }

    function interrupt() {
      isInterrupted = run.isPlaying;
      if (run.isPlaying) run.pause();
    }

    function complain(sentence) {
      places.complaint.textContent = sentence;
      places.complaint.hidden = sentence === "";
    }

    /** The situation in an address: its settings, and a sentence about what in it makes no sense. */
    function open(hash) {
      const { settings: linked, complaint } = lesson.address.read(hash);
      settings = linked;
      played = null;
      run.restart(settings);
      show();
      complain(complaint);
      root.scrollIntoView({ behavior: "instant" });
    }

    return { root, open };
  }

  const about = (settings) => lesson.networks(settings).map((network) => lesson.key(network));

  function start() {
    const made = new Map([...document.querySelectorAll("[data-playground]")].map((root) => [root, playground(root)]));
    const full = [...made].find(([root]) => !("compact" in root.dataset))?.[1];
    const follow = () => lesson.address.isPlay(location.hash) && full?.open(location.hash);
    window.addEventListener("hashchange", follow);
    follow();
    // What stands above has taken its final height by then.
    window.addEventListener(
      "load",
      () => lesson.address.isPlay(location.hash) && full?.root.scrollIntoView({ behavior: "instant" }),
    );
  }

  return { start };
})();
