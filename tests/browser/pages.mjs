// Every page, found by following the console itself: the places of the rail, and from the data
// beside them one of each thing that has a page of its own.
export async function pages(ask) {
  const first = async (path, pick) => {
    const data = await ask(path);
    return (data?.items ?? data)?.map?.(pick).find(Boolean);
  };
  const entities = (await ask("/entities?format=json&kind=Reseller")).items;
  const linked = [...entities].sort((a, b) => b.links - a.links)[0];
  const server = await first("/entities?format=json&kind=Server", (e) => e.id);
  const some = (await ask("/entities?format=json")).items.find((e) => e.facts > 0);
  const facts = await first("/facts?format=json", (f) => f.source);
  const exhibit = await first("/exhibits?format=json", (e) => e.problems > 0 && e.state !== "privileged" && e.id);
  const large = await first("/tables?format=json", (t) => t.rows > 100 && t);
  const table = large?.id;
  // A column without an index: the page comes in its order after a sort.
  const column = large?.columns.find((c) => !c.indexed && !c.secret)?.name;
  const item = (await ask("/custody?format=json")).items[0];
  const panels = (await ask("/?format=json")).panels;
  const all = {
    overview: "/",
    entities: "/entities",
    "entities-kind": "/entities?kind=Server",
    "entities-rows": "/entities?kind=Line",
    "entities-none": "/entities?q=nothing-is-called-so",
    entity: linked && `/entity/${linked.id}`,
    "entity-server": server && `/entity/${server}`,
    figure: panels?.length && `/figure/${panels[0].panel.id}/lines`,
    links: "/links?kind=part_of",
    "links-rows": "/links?kind=owned_by",
    payments: "/payments",
    "payments-of": "/payments?class=completed&currency=EUR",
    facts: some && `/facts?entity=${some.id}`,
    exhibits: "/exhibits",
    "exhibit-at": facts && `/exhibit/${facts.exhibit}?at=${facts.start}-${facts.end}`,
    exhibit: exhibit && `/exhibit/${exhibit}`,
    network: "/network",
    "network-table": "/network?view=table",
    "network-around": linked && `/network?around=${linked.id}`,
    path: linked && server && `/network/path?from=${linked.id}&to=${server}`,
    map: "/map",
    "map-world": "/map?view=world",
    tables: "/tables",
    table: table && `/tables/${table}`,
    "table-ordered": table && column && `/tables/${table}?order=desc%3A${encodeURIComponent(column)}`,
    "table-unsorted": table && `/tables/${table}?order=asc%3Anosuch&c=nosuch`,
    "table-refused": table && `/tables/${table}?f=eq%3Anosuch%3A1`,
    custody: "/custody",
    "custody-at": "/custody?at=2025-11-12T10%3A00",
    "custody-none": "/custody?item=nope&at=2025-11-12T10%3A00",
    "custody-item": item && `/custody/${encodeURIComponent(item.item)}`,
    labels: "/labels",
    problems: "/problems",
    log: "/log",
    "log-found": "/log?q=table&kind=parse.run",
    record: "/log/0",
    package: "/package",
    "package-seen": "/package?for=The+court&handling=H1&redact=actor",
    "package-refused": "/package?for=The+court&handling=H3",
    parties: "/parties",
    refusals: "/refusals",
    sessions: "/sessions",
    "sessions-all": "/sessions/all",
    search: "/search",
    "search-hits": "/search?q=a",
    keys: "/keys",
    noted: "/entities?page=2&kind=Nosuch",
    "exhibit-byte": facts && `/exhibit/${facts.exhibit}?at=${facts.start}`,
    "sign-in": "/sign-in",
    "sign-in-spent": `/sign-in/${"0".repeat(64)}`,
    missing: "/no-such-page",
  };
  return Object.fromEntries(Object.entries(all).filter(([, path]) => path));
}
