import { PostProcessStage, PostProcessStageSampleMode, type Scene } from "cesium";

/**
 * Smooths the steps of oblique edges, for a processor that draws.
 *
 * The engine's own stage looks along each edge to both of its ends. A processor takes all of these
 * steps for every pixel, edge or none, and longer than for all the rest of most pictures. This one
 * looks at the four corners of a pixel, and mixes what lies along the edge they show: T. Lottes's fast
 * approximate anti-aliasing (FXAA, 2009) in its shortest form.
 */
const SHADER = `
uniform sampler2D colorTexture;
in vec2 v_textureCoordinates;

float brightness(vec3 colour)
{
    return dot(colour, vec3(0.299, 0.587, 0.114));
}

void main()
{
    vec2 at = v_textureCoordinates;
    vec2 pixel = 1.0 / czm_viewport.zw;
    vec4 here = texture(colorTexture, at);
    float middle = brightness(here.rgb);
    float southWest = brightness(texture(colorTexture, at - pixel).rgb);
    float northEast = brightness(texture(colorTexture, at + pixel).rgb);
    float northWest = brightness(texture(colorTexture, at + vec2(-pixel.x, pixel.y)).rgb);
    float southEast = brightness(texture(colorTexture, at + vec2(pixel.x, -pixel.y)).rgb);
    float least = min(middle, min(min(southWest, northEast), min(northWest, southEast)));
    float most = max(middle, max(max(southWest, northEast), max(northWest, southEast)));

    vec2 along = vec2(southWest + southEast - northWest - northEast, northWest + southWest - northEast - southEast);
    float floored = max((southWest + northEast + northWest + southEast) * 0.03125, 0.0078125);
    along = clamp(along / (min(abs(along.x), abs(along.y)) + floored), -8.0, 8.0) * pixel;

    vec3 near = 0.5 * (texture(colorTexture, at - along / 6.0).rgb + texture(colorTexture, at + along / 6.0).rgb);
    vec3 far = 0.5 * near + 0.25 * (texture(colorTexture, at - along / 2.0).rgb + texture(colorTexture, at + along / 2.0).rgb);
    float reached = brightness(far);
    out_FragColor = vec4(reached < least || reached > most ? near : far, here.a);
}`;

export function addSmooth(scene: Scene): PostProcessStage {
  const stage = new PostProcessStage({
    name: "smooth",
    fragmentShader: SHADER,
    sampleMode: PostProcessStageSampleMode.LINEAR,
  });
  scene.postProcessStages.add(stage);
  return stage;
}
