// How pages are looked at: language × light or dark × width. The nine looks cover every pair of
// language and width, of width and mode, of language and mode. They stand in three hands of three;
// each hand holds every language, every width and both modes.
const look = (lang, mode, width) => ({
  name: `${lang}-${mode}-${width}`, lang, dark: mode === "dark", width,
  height: { 360: 740, 1280: 900, 2560: 1440 }[width],
});
const hands = [
  [look("en", "dark", 1280), look("fr", "light", 360), look("it", "light", 2560)],
  [look("fr", "light", 1280), look("it", "dark", 360), look("en", "dark", 2560)],
  [look("it", "dark", 1280), look("en", "light", 360), look("fr", "dark", 2560)],
];
export const looks = hands.flat();

// A page's looks: a hand by its name, so that a page more changes no other page's looks, and always
// a longer language on the narrowest screen, where words break first.
export function looksOf(name) {
  const sum = [...name].reduce((all, letter) => all + letter.charCodeAt(0), 0);
  const hand = hands[sum % 3];
  return hand.some((l) => l.width === 360 && l.lang !== "en") ? hand : [...hand, hands[0][1]];
}
