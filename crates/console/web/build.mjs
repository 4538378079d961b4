// Builds the console's assets: scripts and styles bundled by esbuild, and the world drawn once by
// d3-geo, so that the server only places circles on it. Writes ../../../assets/web and the names of
// countries into ../../../assets/i18n. Run by `npm run build`; the Rust build reads the results only.
import { build } from "esbuild";
import { geoNaturalEarth1, geoPath, geoArea, geoCentroid } from "d3-geo";
import { feature, mesh } from "topojson-client";
import { presimplify, simplify, quantile } from "topojson-simplify";
import codes from "i18n-iso-countries";
import { readFileSync, writeFileSync, mkdirSync, copyFileSync } from "node:fs";

const out = new URL("../../../assets/web/", import.meta.url).pathname;
const words = new URL("../../../assets/i18n/", import.meta.url).pathname;
for (const folder of [out, words]) mkdirSync(folder, { recursive: true });

await build({
  entryPoints: { app: "src/app.js", network: "src/network.js" },
  bundle: true, minify: true, format: "iife", target: ["es2022"], legalComments: "none",
  outdir: out, logLevel: "warning",
});
await build({ entryPoints: { app: "src/app.css" }, bundle: true, minify: true, target: ["chrome123", "firefox121", "safari17.5"], outdir: out, logLevel: "warning" });
copyFileSync("src/mark.svg", out + "mark.svg");

// The world: Natural Earth 1:50m (public domain), simplified; in a box of 1000 × 500.
const world = JSON.parse(readFileSync("node_modules/world-atlas/countries-50m.json"));
const weighed = presimplify(world);
const simple = simplify(weighed, quantile(weighed, 0.8));
const noAntarctica = (f) => f.id !== "010";
const shapes = feature(simple, simple.objects.countries);
const land = { type: "FeatureCollection", features: shapes.features.filter(noAntarctica) };
const projection = geoNaturalEarth1().fitExtent([[4, 4], [996, 496]], land);
const path = geoPath(projection).digits(1);
const isle = (f) => {
  // Islets smaller than a fifth of a unit of the picture show as nothing: they are left out.
  if (f.geometry.type !== "MultiPolygon") return f;
  const kept = f.geometry.coordinates.filter((c) => path.area({ type: "Polygon", coordinates: c }) > 0.2);
  return { ...f, geometry: { ...f.geometry, coordinates: kept.length ? kept : f.geometry.coordinates.slice(0, 1) } };
};
// Whole tenths of a unit, each point from the one before: half the size of absolute decimals.
const relative = (d) => d.replace(/M([^MZ]+)Z?/g, (ring) => {
  const points = ring.replace(/[MZ]/g, "").split("L").map((p) => p.split(",").map((n) => Math.round(n * 10)));
  let [x, y] = points[0], line = "";
  for (const [a, b] of points.slice(1)) {
    if (a === x && b === y) continue;
    line += `${line && a >= x ? " " : ""}${a - x}${b >= y ? " " : ""}${b - y}`;
    [x, y] = [a, b];
  }
  return line ? `M${points[0][0]} ${points[0][1]}l${line}${ring.endsWith("Z") ? "z" : ""}` : "";
});
const filled = path({ ...land, features: land.features.map(isle) });
const borders = path(mesh(simple, simple.objects.countries, (a, b) => a !== b && noAntarctica(a) && noAntarctica(b)));
writeFileSync(out + "world.svg",
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10000 5000"><path fill="#fff" d="${relative(filled)}"/><path fill="none" stroke="#000" stroke-width="4" d="${relative(borders)}"/></svg>\n`);

// Countries: ISO code, where its circle stands, its name in each language.
const whole = feature(world, world.objects.countries).features;
const largest = (f) => {
  if (f.geometry.type !== "MultiPolygon") return f;
  const best = f.geometry.coordinates.map((c) => ({ type: "Polygon", coordinates: c })).sort((a, b) => geoArea(b) - geoArea(a))[0];
  return { ...f, geometry: best };
};
// Places the atlas lacks, by longitude and latitude of their capital or centre.
const missing = { GF: [-53.1, 3.9], GP: [-61.6, 16.2], MQ: [-61.0, 14.6], RE: [55.5, -21.1], YT: [45.2, -12.8], GI: [-5.35, 36.14], BQ: [-68.3, 12.2], TV: [179.2, -8.5], SJ: [16.0, 78.2], XK: [20.9, 42.6], CX: [105.6, -10.5], CC: [96.8, -12.2], TK: [-171.8, -9.2], UM: [166.6, 19.3], BV: [3.4, -54.4] };
const places = new Map();
for (const f of whole) {
  const iso = f.properties.name === "Kosovo" ? "XK" : codes.numericToAlpha2(f.id);
  if (!iso || places.has(iso)) continue;
  places.set(iso, projection(geoCentroid(largest(f))));
}
for (const [iso, at] of Object.entries(missing)) if (!places.has(iso)) places.set(iso, projection(at));
const named = (style) => ["en", "fr", "it"].map((l) => new Intl.DisplayNames([l], { type: "region", style, fallback: "none" }));
const names = named("long").map((long, i) => ({
  // "Hong Kong", not "Hong Kong SAR China"; but "United States", not "US".
  of: (iso) => (["HK", "MO", "PS", "CD", "CG"].includes(iso) ? named("short")[i] : long).of(iso),
}));
const lines = [...places].filter(([iso, p]) => p && names[0].of(iso)).sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([iso, [x, y]]) => [iso, x.toFixed(1), y.toFixed(1), ...names.map((n) => n.of(iso))].join("\t"));
writeFileSync(words + "countries.tsv", lines.join("\n") + "\n");
console.log(`${lines.length} countries`);
