import { PostProcessStage, type Scene } from "cesium";

/**
 * Draws thin darker lines where surfaces meet or end, so that white walls read as walls.
 *
 * On a plane the reciprocal of the depth is a linear function of the pixel position;
 * its second difference is therefore zero on every face, however oblique, and jumps
 * at creases and outlines. Five depth reads per pixel, no normals needed.
 */
const SHADER = `
uniform sampler2D colorTexture;
uniform sampler2D depthTexture;
in vec2 v_textureCoordinates;

float reciprocalDepth(vec2 uv)
{
    float depth = texture(depthTexture, uv).r;
    if (depth >= 1.0)
    {
        return 0.0;
    }
#if defined(LOG_DEPTH) || defined(LOG_DEPTH_READ_ONLY)
    return 1.0 / (exp2(depth * czm_log2FarDepthFromNearPlusOne) - 1.0 + czm_currentFrustum.x);
#else
    vec4 eye = czm_windowToEyeCoordinates(uv * czm_viewport.zw, depth);
    return -eye.w / eye.z;
#endif
}

void main()
{
    vec4 colour = texture(colorTexture, v_textureCoordinates);
    vec2 pixel = 1.0 / czm_viewport.zw;
    float centre = reciprocalDepth(v_textureCoordinates);
    if (centre <= 0.0)
    {
        out_FragColor = colour;
        return;
    }
    float left = reciprocalDepth(v_textureCoordinates - vec2(pixel.x, 0.0));
    float right = reciprocalDepth(v_textureCoordinates + vec2(pixel.x, 0.0));
    float below = reciprocalDepth(v_textureCoordinates - vec2(0.0, pixel.y));
    float above = reciprocalDepth(v_textureCoordinates + vec2(0.0, pixel.y));
    float bend = abs(left + right - 2.0 * centre) + abs(below + above - 2.0 * centre);
    float edge = smoothstep(0.0006, 0.004, bend / centre);
    out_FragColor = vec4(mix(colour.rgb, colour.rgb * vec3(0.38, 0.42, 0.48), edge * 0.7), colour.a);
}`;

export function addEdges(scene: Scene): PostProcessStage {
  const stage = new PostProcessStage({ name: "edges", fragmentShader: SHADER });
  scene.postProcessStages.add(stage);
  return stage;
}
