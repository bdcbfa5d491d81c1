import { Color, PostProcessStage, type Scene, type Cesium3DTileFeature } from "cesium";

/** A line of two pixels around the visible part of the selected features. */
const SHADER = `
uniform sampler2D colorTexture;
uniform vec4 outlineColour;
in vec2 v_textureCoordinates;

void main()
{
    vec4 colour = texture(colorTexture, v_textureCoordinates);
#ifdef CZM_SELECTED_FEATURE
    if (!czm_selected())
    {
        vec2 near = czm_pixelRatio / czm_viewport.zw;
        vec2 far = 2.0 * near;
        bool beside =
            czm_selected(vec2(far.x, 0.0)) || czm_selected(vec2(-far.x, 0.0)) ||
            czm_selected(vec2(0.0, far.y)) || czm_selected(vec2(0.0, -far.y)) ||
            czm_selected(near) || czm_selected(-near) ||
            czm_selected(vec2(near.x, -near.y)) || czm_selected(vec2(-near.x, near.y));
        if (beside)
        {
            colour.rgb = outlineColour.rgb;
        }
    }
#endif
    out_FragColor = colour;
}`;

/** Darker than the colour of the selection, so that it shows on it and beside it. */
export const OUTLINE_COLOUR = "#d96a00";

/** Beside colours that each mean something. */
export const COMPARED_COLOUR = "#10202f";

export const FRAMES_TO_START = 3;

/** Outlines features; without any it costs nothing. */
export class Outline {
  private readonly stage: PostProcessStage;
  private allowed = true;
  private stopFrames: () => void = () => undefined;

  constructor(private readonly scene: Scene) {
    this.stage = new PostProcessStage({
      name: "selection",
      fragmentShader: SHADER,
      uniforms: { outlineColour: Color.fromCssColorString(OUTLINE_COLOUR) },
    });
    this.stage.enabled = false;
    scene.postProcessStages.add(this.stage);
  }

  set colour(css: string) {
    (this.stage.uniforms as { outlineColour: Color }).outlineColour = Color.fromCssColorString(css);
    this.scene.requestRender();
  }

  set features(features: Cesium3DTileFeature[]) {
    this.stage.selected = features;
    this.apply();
  }

  set enabled(allowed: boolean) {
    this.allowed = allowed;
    this.apply();
  }

  /**
   * A stage that is switched on compiles its shader first, and features get the ids by which
   * the stage knows them only when it runs: it has to be told of them again a frame later.
   */
  private requestFrames(): void {
    this.scene.requestRender();
    let left = FRAMES_TO_START;
    this.stopFrames();
    this.stopFrames = this.scene.postRender.addEventListener(() => {
      if (left-- <= 0) return this.stopFrames();
      this.stage.selected = [...((this.stage.selected as unknown[] | undefined) ?? [])];
      this.scene.requestRender();
    });
  }

  private apply(): void {
    const selected = this.stage.selected as unknown[] | undefined;
    this.stage.enabled = this.allowed && (selected?.length ?? 0) > 0;
    if (this.stage.enabled) this.requestFrames();
  }
}
