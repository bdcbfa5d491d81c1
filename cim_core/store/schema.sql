-- The registry of a city, laid out as a GeoPackage 1.3 (OGC 12-128r17) so that QGIS and GDAL open it.
CREATE TABLE gpkg_spatial_ref_sys (
    srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT
);
INSERT INTO gpkg_spatial_ref_sys VALUES
    ('Undefined cartesian SRS', -1, 'NONE', -1, 'undefined', NULL),
    ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', NULL),
    ('WGS 84 geodetic', 4326, 'EPSG', 4326,
     'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]',
     'longitude and latitude in degrees');
CREATE TABLE gpkg_contents (
    table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
    description TEXT DEFAULT '', last_change TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
    srs_id INTEGER REFERENCES gpkg_spatial_ref_sys (srs_id)
);
CREATE TABLE gpkg_geometry_columns (
    table_name TEXT NOT NULL UNIQUE REFERENCES gpkg_contents (table_name), column_name TEXT NOT NULL,
    geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL REFERENCES gpkg_spatial_ref_sys (srs_id),
    z TINYINT NOT NULL, m TINYINT NOT NULL, PRIMARY KEY (table_name, column_name)
);

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

-- What a job found, for those who come back for it.
CREATE TABLE results (job TEXT PRIMARY KEY, body TEXT NOT NULL);

CREATE TABLE receipts (id TEXT PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    layer TEXT,
    filename TEXT,
    parameters TEXT NOT NULL,
    created TEXT NOT NULL,
    started TEXT,
    finished TEXT,
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    note TEXT NOT NULL DEFAULT 'waiting',
    remaining REAL,             -- seconds it may still take, NULL when nobody knows
    problem TEXT,
    report TEXT,
    owner TEXT,                 -- the worker that has it, NULL while nobody has
    beat REAL,                  -- when that worker last said it lives, seconds since 1970
    attempts INTEGER NOT NULL DEFAULT 0,
    cancel INTEGER NOT NULL DEFAULT 0,
    person TEXT,                -- the account that ordered it, NULL on the command line
    who TEXT
);
CREATE INDEX jobs_by_status ON jobs (status);

CREATE TABLE layers (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    version INTEGER NOT NULL,   -- the one that is served
    about TEXT NOT NULL DEFAULT '{}'    -- what people said of it, JSON; the rest follows from its kind
);

-- A number is never given twice, not even to a layer that was removed: tile URLs are cached for ever.
CREATE TABLE version_numbers (layer TEXT PRIMARY KEY, last INTEGER NOT NULL);

CREATE TABLE versions (
    layer TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,        -- 'building', 'published'
    title TEXT NOT NULL,
    published TEXT,
    receipt TEXT REFERENCES receipts (id),
    summary TEXT,               -- the collection's own description, JSON
    PRIMARY KEY (layer, version)
);

CREATE TABLE features (
    fid INTEGER PRIMARY KEY,
    geom BLOB,                  -- the footprint or shape, GeoPackage binary, longitude and latitude
    layer TEXT NOT NULL,
    version INTEGER NOT NULL,
    id TEXT NOT NULL,
    class TEXT NOT NULL,
    name TEXT NOT NULL,
    parent TEXT,
    storey TEXT,
    body INTEGER NOT NULL,      -- 1: it has geometry; 0: it only groups others
    zmin REAL,
    zmax REAL,
    cells BLOB,                 -- H3 cover, little-endian uint64
    attributes TEXT NOT NULL,   -- JSON object
    property_sets TEXT NOT NULL, -- JSON array
    shaped INTEGER NOT NULL DEFAULT 0, -- 1: the source gave this shape; 0: it was found from the meshes
    UNIQUE (layer, version, id)
);
CREATE INDEX features_in_order ON features (layer, version, body, id);
-- The name begins with rtree_ so that GDAL does not list it as a table of data.
-- Heights are not in it: beside degrees, metres would decide alone which boxes lie together.
CREATE VIRTUAL TABLE rtree_feature_boxes USING rtree (fid, west, east, south, north);
