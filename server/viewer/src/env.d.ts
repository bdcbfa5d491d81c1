/** Where the engine's workers and assets are served; set by the build. */
declare const CESIUM_URL: string;
