// Times in words; the sentences come from the hub, in the language that it is asked for.

/** 1 h 40 min, 12 min, 40 s: the same in the languages of the hub. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) {
    return `${whole} s`;
  }
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return [hours ? `${hours} h` : "", minutes || !hours ? `${minutes} min` : ""].join(" ").trim();
}

/** The same to the nearest minute, for a time that is said once. */
export function rounded(seconds) {
  return duration(seconds < 60 ? seconds : 60 * Math.round(seconds / 60));
}

/** A sentence of the hub with its placeholders filled in. */
export function say(text, values) {
  return Object.entries(values).reduce(
    (said, [name, value]) => said.split(`{${name}}`).join(value),
    text
  );
}
