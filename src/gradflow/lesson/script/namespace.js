"use strict";
/** What the page's scripts offer one another. Each file adds one property; `start.js` calls the `start()` of those that have one. */
const lesson = {};
