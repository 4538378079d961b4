"""FollowTheMoney's own library reads our export: every statement's schema and property exist, every
entity is whole, every link leads to an entity. Run by `./test exchange`, with VIGIE_BIN set."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parent.parent
vigie = os.environ["VIGIE_BIN"]


def run(*words, **more):
    return subprocess.run([vigie, *map(str, words)], check=True, stdout=subprocess.PIPE, **more).stdout


def main():
    import followthemoney

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        # FollowTheMoney's model with our kinds laid beside it.
        shutil.copytree(Path(followthemoney.__file__).parent / "schema", folder / "schema")
        shutil.copy(root / "assets/ftm/vigie.yaml", folder / "schema")
        os.environ["FTM_MODEL_PATH"] = str(folder / "schema")
        for module in [m for m in sys.modules if m.startswith("followthemoney")]:
            del sys.modules[module]
        from followthemoney import model
        from followthemoney.exc import InvalidData
        from followthemoney.statement.entity import StatementEntity
        from followthemoney.statement.serialize import read_csv_statements
        from followthemoney.dataset import Dataset

        home, case, seizure = folder / "home", folder / "case", folder / "seizure"
        os.environ["VIGIE_HOME"] = str(home)
        run("range", "make", "--scenario", "small", "--seed", 7, seizure)
        summary = json.loads(run("open", "--json", "--case", case, seizure / "material"))
        export = folder / "statements.csv"
        export.write_bytes(run("export", "--case", case, "--format", "ftm"))

        by_entity = {}
        count = 0
        with open(export, "rb") as file:
            for statement in read_csv_statements(file):
                schema = model.get(statement.schema)
                assert schema, f"no schema {statement.schema}"
                assert schema.get(statement.prop), f"{statement.schema} has no {statement.prop}"
                by_entity.setdefault(statement.entity_id, []).append(statement)
                count += 1
        dataset = Dataset.make({"name": "case", "title": "case"})
        kinds, links = {}, 0
        for statements in by_entity.values():
            entity = StatementEntity.from_statements(dataset, statements)
            try:
                entity.schema.validate(entity.to_dict())
            except InvalidData as invalid:
                raise SystemExit(f"{entity.schema.name} {entity.to_dict()}: {invalid.errors}")
            if entity.schema.name == "UnknownLink":
                links += 1
                for end in entity.get("subject") + entity.get("object"):
                    assert end in by_entity, f"a link leads to {end}, which is not exported"
            else:
                assert entity.caption, f"{entity.id} has no caption"
                kinds[entity.schema.name] = kinds.get(entity.schema.name, 0) + 1
        assert count > 500 and links > 100, (count, links)
        for kind in ("Server", "Panel", "Domain"):
            assert kinds.get(kind) == summary["entities"][kind], (kind, kinds, summary["entities"])
        print(f"followthemoney {followthemoney.__version__} read {count} statements, {links} links, {kinds}")


main()
