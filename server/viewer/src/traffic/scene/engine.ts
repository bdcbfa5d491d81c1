/**
 * The engine's own renderer, for what its public parts cannot draw fast enough: one buffer of vertices, or
 * of instances, that is filled anew as data comes. These classes are exported but not documented; they are
 * named here only, and the version of the engine is pinned.
 */
import * as Cesium from "cesium";
import { BoundingSphere, Matrix4 } from "cesium";

interface GpuBuffer {
  sizeInBytes: number;
  copyFromArrayView(view: ArrayBufferView, offset?: number): void;
  destroy(): void;
}
interface VertexArray {
  destroy(): void;
}
interface Program {
  destroy(): void;
}
interface Command {
  vertexArray: VertexArray;
  count: number;
  instanceCount: number;
  boundingVolume: BoundingSphere;
  modelMatrix: Matrix4;
}
interface Engine {
  Buffer: {
    createVertexBuffer(options: object): GpuBuffer;
    createIndexBuffer(options: object): GpuBuffer;
  };
  BufferUsage: { STATIC_DRAW: number; STREAM_DRAW: number };
  VertexArray: new (options: object) => VertexArray;
  ShaderProgram: { fromCache(options: object): Program };
  RenderState: { fromCache(options: object): object };
  DrawCommand: new (options: object) => Command;
  Pass: { OPAQUE: number };
  BlendingState: { ALPHA_BLEND: object };
}
const engine = Cesium as unknown as Engine;

interface FrameState {
  context: object;
  commandList: Command[];
  passes: { render: boolean };
}

/** A column of the vertices, or of the instances, in the order of the shader's locations. */
export interface Column {
  name: string;
  /** Numbers of 4 bytes for each. */
  width: number;
}

export interface Drawing {
  vertex: string;
  fragment: string;
  /** Of each vertex; without instances they are filled, else they are the shape. */
  columns: readonly Column[];
  /** Of each instance. */
  instance?: readonly Column[];
  /** The one shape of all instances: its vertices and triangles. */
  shape?: { vertices: Float32Array; indices: Uint16Array };
  uniforms: Record<string, () => unknown>;
  /** Whether it hides what is behind it; else it is painted in order over what is there. */
  solid: boolean;
}

const widthOf = (columns: readonly Column[]) => columns.reduce((sum, { width }) => sum + width, 0);

/** Drawn in the metres of a plane; nothing until it is filled. */
export class Drawn {
  show = true;
  private context: object | null = null;
  private command: Command | null = null;
  private program: Program | null = null;
  private vertices: GpuBuffer | null = null;
  private array: VertexArray | null = null;
  private filled: { data: Float32Array; count: number; sphere: BoundingSphere; frame: Matrix4 } | null = null;
  private fresh = false;

  constructor(private readonly drawing: Drawing) {}

  /** Puts in its place what is drawn: `count` vertices (three for each triangle) or instances. */
  fill(data: Float32Array, count: number, sphere: BoundingSphere, frame: Matrix4): void {
    this.filled = count > 0 ? { data, count, sphere, frame } : null;
    this.fresh = true;
  }

  /** Called by the engine on every frame. */
  update(frame: FrameState): void {
    if (!this.show || !this.filled || !frame.passes.render) return;
    this.context = frame.context;
    if (this.fresh) this.upload();
    this.fresh = false;
    frame.commandList.push(this.command!);
  }

  isDestroyed(): boolean {
    return false;
  }

  destroy(): void {
    this.array?.destroy();
    this.program?.destroy();
    this.array = this.program = this.vertices = this.command = null;
  }

  private upload(): void {
    const { data, count, sphere, frame } = this.filled!;
    const { context, drawing } = this;
    const instanced = drawing.instance !== undefined;
    const filling = drawing.instance ?? drawing.columns;
    const bytes = count * widthOf(filling) * 4;
    if (!this.vertices || this.vertices.sizeInBytes < bytes) {
      this.array?.destroy();
      // Room to grow, so that one more vehicle does not make all new.
      const room = Math.ceil((bytes * (instanced ? 1.5 : 1)) / 4) * 4;
      const usage = instanced ? engine.BufferUsage.STREAM_DRAW : engine.BufferUsage.STATIC_DRAW;
      this.vertices = engine.Buffer.createVertexBuffer({ context, sizeInBytes: room, usage });
      const own = drawing.shape && engine.Buffer.createVertexBuffer({ context, typedArray: drawing.shape.vertices, usage: engine.BufferUsage.STATIC_DRAW });
      const attributes = instanced
        ? [...this.attributes(drawing.columns, own!, 0, 0), ...this.attributes(filling, this.vertices, 1, drawing.columns.length)]
        : this.attributes(filling, this.vertices, 0, 0);
      const indexBuffer = drawing.shape && engine.Buffer.createIndexBuffer({ context, typedArray: drawing.shape.indices, usage: engine.BufferUsage.STATIC_DRAW, indexDatatype: Cesium.IndexDatatype.UNSIGNED_SHORT });
      this.array = new engine.VertexArray({ context, attributes, indexBuffer });
    }
    this.vertices.copyFromArrayView(data.subarray(0, bytes / 4));
    this.command ??= this.make();
    this.command.vertexArray = this.array!;
    if (instanced) this.command.instanceCount = count;
    else this.command.count = count;
    this.command.boundingVolume = sphere;
    this.command.modelMatrix = frame;
  }

  private attributes(columns: readonly Column[], vertexBuffer: GpuBuffer, instanceDivisor: number, first: number): object[] {
    const strideInBytes = widthOf(columns) * 4;
    let offsetInBytes = 0;
    return columns.map(({ width }, i) => {
      const attribute = {
        index: first + i, vertexBuffer, componentsPerAttribute: width, componentDatatype: Cesium.ComponentDatatype.FLOAT,
        offsetInBytes, strideInBytes, instanceDivisor,
      };
      offsetInBytes += width * 4;
      return attribute;
    });
  }

  private make(): Command {
    const { context, drawing } = this;
    const names = [...drawing.columns, ...(drawing.instance ?? [])].map(({ name }) => name);
    this.program = engine.ShaderProgram.fromCache({
      context,
      vertexShaderSource: drawing.vertex,
      fragmentShaderSource: drawing.fragment,
      attributeLocations: Object.fromEntries(names.map((name, i) => [name, i])),
    });
    return new engine.DrawCommand({
      owner: this,
      vertexArray: this.array,
      primitiveType: Cesium.PrimitiveType.TRIANGLES,
      shaderProgram: this.program,
      uniformMap: drawing.uniforms,
      renderState: engine.RenderState.fromCache({
        depthTest: { enabled: true },
        depthMask: drawing.solid,
        cull: { enabled: false },
        ...(drawing.solid ? {} : { blending: engine.BlendingState.ALPHA_BLEND }),
      }),
      pass: engine.Pass.OPAQUE,
    });
  }
}

/**
 * Lets what lies on the ground win over the ground, whose mesh is coarser than the road, without moving it
 * on the screen: it comes nearer to the eye by a metre or so, along the ray from there.
 */
export const NEARER = `
vec4 nearer(vec4 eye)
{
    float away = max(1.0, length(eye.xyz));
    return vec4(eye.xyz * (1.0 - min(0.4, (0.8 + 0.004 * away) / away)), 1.0);
}`;
