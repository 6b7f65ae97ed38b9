"""Clip paths of a drawn figure: one for all lines of a plot, since one for each takes far longer to paint."""

from xml.etree import ElementTree

_SVG = "http://www.w3.org/2000/svg"
_CLIP = "clip-path"
ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")


def clipped_once(svg: str) -> str:
    """The same picture, the lines of each plot clipped together.

    Vega clips every line by itself, and a rasteriser paints whatever is clipped on a canvas of its own.

    Args:
        svg: as Vega draws it: a group of the lines, each in a group of its own, in the same place.
    """
    root = ElementTree.fromstring(svg)
    shapes = {f"url(#{path.get('id')})": [shape.attrib for shape in path] for path in root.iter(f"{{{_SVG}}}clipPath")}
    for lines in root.iter(f"{{{_SVG}}}g"):
        if "pathgroup" not in lines.get("class", "") or {line.get("transform") for line in lines} != {"translate(0,0)"}:
            continue
        clipped = [part for part in lines.iter() if _CLIP in part.attrib]
        if clipped and all(shapes[part.attrib[_CLIP]] == shapes[clipped[0].attrib[_CLIP]] for part in clipped):
            lines.set(_CLIP, clipped[0].attrib[_CLIP])
            for part in clipped:
                del part.attrib[_CLIP]
    return ElementTree.tostring(root, encoding="unicode")
