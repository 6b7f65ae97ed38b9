/**
 * The activation that the reader has chosen, and its parameters: the explorer, the code and the gallery share it.
 *
 * lesson.chosen = { get() -> {name, parameters}, set({name, parameters}), listen(f) }. `parameters` holds what was moved
 * from its usual value, by key; choosing another activation forgets them.
 */
lesson.chosen = (() => {
  "use strict";
  let state = { name: "sigmoid", parameters: {} };
  const listeners = [];

  function set({ name = state.name, parameters }) {
    state = { name, parameters: parameters ?? (name === state.name ? state.parameters : {}) };
    for (const listen of listeners) listen(state);
  }

  return { get: () => state, set, listen: (listener) => listeners.push(listener) };
})();
