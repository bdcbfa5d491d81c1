"""The layout of the registry, `city.gpkg`, and the way to it from older ones."""

from cim_core.store.database import Layout

REGISTRY_LAYOUT = Layout(
    what="a city registry",
    sql="schema.sql",
    version=4,
    application_id=0x47504B47,  # "GPKG", which GDAL and QGIS look for
    user_version=10300,
    steps={
        2: ("ALTER TABLE jobs ADD COLUMN remaining REAL",),
        3: (
            "ALTER TABLE layers ADD COLUMN about TEXT NOT NULL DEFAULT '{}'",
            "ALTER TABLE features ADD COLUMN shaped INTEGER NOT NULL DEFAULT 0",
            "CREATE TABLE results (job TEXT PRIMARY KEY, body TEXT NOT NULL)",
            "CREATE TABLE boxes AS SELECT fid, west, east, south, north FROM rtree_feature_boxes",
            "DROP TABLE rtree_feature_boxes",
            "CREATE VIRTUAL TABLE rtree_feature_boxes USING rtree (fid, west, east, south, north)",
            "INSERT INTO rtree_feature_boxes SELECT * FROM boxes",
            "DROP TABLE boxes",
        ),
        4: (
            "ALTER TABLE jobs ADD COLUMN person TEXT",
            "ALTER TABLE jobs ADD COLUMN who TEXT",
        ),
    },
)
