// Material whose network has 20,000 things and 40,000 links: dumps of twenty panels, each with 500
// operators in a tree; every operator has an e-mail address and an address he signed in from, some
// of them shared, within a panel and across. Invented names, reserved addresses.
//
//   node material.mjs FOLDER
import { writeFileSync, mkdirSync } from "node:fs";

const out = process.argv[2];
mkdirSync(out, { recursive: true });
const PANELS = 20, EACH = 500;
// 20 panels + 10,000 operators + 6,000 + 3,980 addresses = 20,000 things. Each operator has four
// links; the first of a panel is nobody's reseller, and names somebody in a note instead.
const EMAILS = 6000, ADDRESSES = 3980;

let seed = 7;
const random = (below) => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};
// The first of each are used once and for all; what is left over is shared at random.
const pick = (n, all) => (n < all ? n : random(all));
const address = (n) => `198.${18 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;

for (let panel = 0; panel < PANELS; panel++) {
  const rows = [];
  for (let i = 1; i <= EACH; i++) {
    const n = panel * EACH + i - 1;
    // A few resell to many: the owner is one of the first by a skewed draw.
    const owner = i === 1 ? 0 : 1 + Math.floor((random(1 << 20) / (1 << 20)) ** 3 * (i - 1));
    rows.push(`(${i},'op${n}','*','op${pick(n, EMAILS)}@reseller.example','${address(pick(n, ADDRESSES))}',` +
      `${1700000000 + n},${1760000000 + n},${i === 1 ? 1 : 2},${random(900)},'${i === 1 ? `ask op${random(EMAILS)}@reseller.example` : ""}',1,'',${owner},'','',0,'UTC','','en')`);
  }
  writeFileSync(`${out}/panel-${String(panel).padStart(2, "0")}.sql`, `-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: panel${panel}
-- ------------------------------------------------------
-- Server version	10.11.6-MariaDB-0+deb12u1

CREATE TABLE \`users\` (
  \`id\` int(11) NOT NULL AUTO_INCREMENT,
  \`username\` varchar(50) DEFAULT NULL,
  \`password\` varchar(255) DEFAULT NULL,
  \`email\` varchar(255) DEFAULT NULL,
  \`ip\` varchar(255) DEFAULT NULL,
  \`date_registered\` int(11) DEFAULT NULL,
  \`last_login\` int(11) DEFAULT NULL,
  \`member_group_id\` int(11) DEFAULT NULL,
  \`credits\` float DEFAULT 0,
  \`notes\` mediumtext DEFAULT NULL,
  \`status\` tinyint(2) DEFAULT 1,
  \`reseller_dns\` mediumtext DEFAULT NULL,
  \`owner_id\` int(11) DEFAULT 0,
  \`override_packages\` text DEFAULT NULL,
  \`hue\` varchar(50) DEFAULT NULL,
  \`theme\` int(1) DEFAULT 0,
  \`timezone\` varchar(255) DEFAULT NULL,
  \`api_key\` varchar(64) DEFAULT NULL,
  \`lang\` varchar(50) DEFAULT 'en',
  PRIMARY KEY (\`id\`)
) ENGINE=InnoDB;

INSERT INTO \`users\` VALUES ${rows.join(",")};

-- Dump completed on 2026-03-07  4:12:${10 + panel}
`);
}
