"""Objects as `kubectl get` prints them."""

from __future__ import annotations

from api_server import Server

from podward.schema.openshift.resources import RESOURCES as OPENSHIFTS
from podward.schema.resources import RESOURCES
from podward.server.tables.table import PRINTERS, table_of

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def test_every_row_has_as_many_cells_as_there_are_columns() -> None:
    for resource in (*RESOURCES, *OPENSHIFTS):
        empty = {"kind": resource.kind, "metadata": {"name": "x"}}
        table = table_of(resource, [empty], {}, {}, "v1")  # type: ignore[list-item]  # JSON
        assert isinstance(table, dict)
        rows, columns = table["rows"], table["columnDefinitions"]
        assert isinstance(rows, list)
        assert isinstance(columns, list)
        assert isinstance(rows[0], dict)
        cells = rows[0]["cells"]
        assert isinstance(cells, list)
        without_column = 1 if resource.kind == "IPAddress" else 0  # its age, which the real server tells too
        assert len(cells) == len(columns) + without_column, resource.kind


def test_printers_are_of_kinds_that_are_served() -> None:
    kinds = {(resource.group, resource.kind) for resource in (*RESOURCES, *OPENSHIFTS)}
    assert set(PRINTERS) - kinds == set()


def test_a_list_is_answered_as_a_table(server: Server) -> None:
    _, table, _ = server.ask("GET", "/api/v1/namespaces", Accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Status", "Age"]
    assert ["default", "Active"] in [row["cells"][:2] for row in table["rows"]]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


def test_no_object_stands_beside_the_cells_where_none_is_wanted(server: Server) -> None:
    _, table, _ = server.ask("GET", "/api/v1/namespaces?includeObject=None", Accept=TABLE)
    assert table["rows"][0]["object"] is None
    code, refused, _ = server.ask("GET", "/api/v1/namespaces?includeObject=All", Accept=TABLE)
    assert (code, refused["reason"]) == (422, "Invalid")
